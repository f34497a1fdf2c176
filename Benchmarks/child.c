// child orphans COUNT: leaves that many orphans that end at once, says so, and sleeps.
// child signals: for every SIGUSR1, when it came: CLOCK_MONOTONIC in nanoseconds, a line each.
//
// What the entrypoints that Benchmarks/init compares have to do with.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int orphans(int count) {
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) _exit(fork() == -1);
        int status = 1;
        if (child == -1 || waitpid(child, &status, 0) != child || status != 0) return 1;
    }
    puts("made");
    fflush(stdout);
    for (;;) pause();
}

static _Noreturn void signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    puts("ready");
    for (;;) {
        fflush(stdout);
        siginfo_t info;
        sigwaitinfo(&set, &info);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        printf("%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
    }
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "orphans") == 0) return orphans(atoi(argv[2]));
    if (argc == 2 && strcmp(argv[1], "signals") == 0) signals();
    fputs("usage: child orphans COUNT | child signals\n", stderr);
    return 64;
}
