// Catching the moment in which a process has executed and not yet run an instruction.

#include "Attacker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_marked(pid_t process, const char *mark) {
    char path[64], line[4096];
    snprintf(path, sizeof path, "/proc/%d/cmdline", process);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file == -1) return false;
    const ssize_t count = read(file, line, sizeof line - 1);
    close(file);
    if (count <= 0) return false;
    for (ssize_t i = 0; i < count; i++)
        if (line[i] == '\0') line[i] = ' ';
    line[count] = '\0';
    return strncmp(line, mark, strlen(mark)) == 0;
}

static int make_attempt(char **attempt, pid_t on) {
    const pid_t child = fork();
    if (child == 0) {
        for (char **word = attempt; *word != NULL; word++) {
            if (strncmp(*word, "PID:", 4) != 0) continue;
            if (asprintf(word, "%d:%s", on, *word + 4) == -1) _exit(1);
        }
        execvp(attempt[0], attempt);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int at_exec(const char *mark, char **attempt, char **program) {
    const pid_t first = fork();
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execvp(program[0], program);
        _exit(127);
    }
    int status;
    waitpid(first, &status, __WALL);
    ptrace(PTRACE_SETOPTIONS, first, 0,
           PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
               PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, first, 0, 0);
    for (;;) {
        const pid_t process = waitpid(-1, &status, __WALL);
        if (process == -1) return 1;
        if (!WIFSTOPPED(status)) continue;
        const int event = status >> 16;
        if (event == PTRACE_EVENT_EXEC && is_marked(process, mark))
            return make_attempt(attempt, process);
        // The stop a new process begins with, and every other of ours, is not the program's.
        const int signal = WSTOPSIG(status);
        const bool ours = event != 0 || signal == SIGSTOP || signal == SIGTRAP;
        ptrace(PTRACE_CONT, process, 0, ours ? 0 : signal);
    }
}
