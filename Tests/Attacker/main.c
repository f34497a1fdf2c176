// Tries what an attacker would, as whoever it was started as, and prints what came of it:
//
//     attacker try NEEDLES PATH TARGET:ATTEMPT…
//
// NEEDLES: see CAttack.h. PATH: the view, or whatever an attempt is made on. TARGET: a process's number
// or its name in lists of processes; empty where none is needed. A line for each: TARGET:ATTEMPT, a
// space, and 0 or an errno.
//
// The other forms are the privileged hands of the tests: see Attacker.h.

#include "Attacker.h"
#include "CAttack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t process_named(const char *name) {
    const int number = atoi(name);
    if (number != 0 || name[0] == '\0') return number;
    DIR *processes = opendir("/proc");
    if (processes == NULL) return -1;
    pid_t found = -1;
    const struct dirent *entry;
    while (found == -1 && (entry = readdir(processes)) != NULL) {
        char path[300], text[32] = "";
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "re") : NULL;
        if (file == NULL) continue;
        if (fgets(text, sizeof text, file) != NULL) text[strcspn(text, "\n")] = '\0';
        fclose(file);
        if (strcmp(text, name) == 0) found = atoi(entry->d_name);
    }
    closedir(processes);
    return found;
}

// In a process of its own: an attempt may change it, or never return.
static int try_apart(const char *name, const struct attack *attack) {
    int result[2];
    if (pipe2(result, O_CLOEXEC) == -1) return errno;
    const pid_t child = fork();
    if (child == -1) return errno;
    if (child == 0) {
        alarm(20);
        close(result[0]);
        const int refusal = attack_run(name, attack);
        _exit(write(result[1], &refusal, sizeof refusal) == sizeof refusal ? 0 : 1);
    }
    close(result[1]);
    int refusal = ETIMEDOUT;
    if (read(result[0], &refusal, sizeof refusal) != sizeof refusal) refusal = ETIMEDOUT;
    close(result[0]);
    waitpid(child, NULL, 0);
    return refusal;
}

static int try_all(char **arguments) {
    struct needles needles;
    if (needles_read(arguments[0], &needles) != 0) return 64;
    struct attack attack = {.path = arguments[1], .needles = &needles};
    for (char **attempt = arguments + 2; *attempt != NULL; attempt++) {
        char name[128];
        snprintf(name, sizeof name, "%s", *attempt);
        char *colon = strchr(name, ':');
        if (colon == NULL) return 64;
        *colon = '\0';
        attack.target = process_named(name);
        const int refusal = attack.target == -1 ? ESRCH : try_apart(colon + 1, &attack);
        printf("%s %d\n", *attempt, refusal);
        fflush(stdout);
    }
    return 0;
}

// Splits the list at the next "--", which becomes NULL; what follows it is returned.
static char **after_dashes(char **list) {
    while (*list != NULL && strcmp(*list, "--") != 0) list++;
    if (*list == NULL) return list;
    *list = NULL;
    return list + 1;
}

int main(int count, char **arguments) {
    if (count < 2) return 64;
    const char *form = arguments[1];
    if (strcmp(form, "try") == 0 && count > 4) return try_all(arguments + 2);
    if (strcmp(form, "open-up") == 0 && count == 3)
        return inject_call(atoi(arguments[2]), SYS_prctl, PR_SET_DUMPABLE, 1, 0) == 0 ? 0 : 1;
    if (strcmp(form, "fault") == 0 && count == 3) return inject_fault(atoi(arguments[2]));
    if (strcmp(form, "at-exec") == 0 && count > 4) {
        char **program = after_dashes(arguments + 3);
        return at_exec(arguments[2], arguments + 3, program);
    }
    if (strcmp(form, "without-landlock") == 0 && count > 2) return without_landlock(arguments + 2);
    if (strcmp(form, "exchange") == 0 && count == 4) return exchange(arguments[2], arguments[3]);
    if (strcmp(form, "catch-core") == 0 && count == 3) return catch_core(arguments[2]);
    if (strcmp(form, "mount-naively") == 0 && count == 4)
        return mount_naively(arguments[2], arguments[3]);
    return 64;
}
