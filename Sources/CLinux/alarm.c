#include "CLinuxProcess.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Ignored unless somebody asks for it: one that arrives late does no harm.
#define ALARM_SIGNAL SIGURG

// sigevent's field has this name in the kernel; the C library's own name depends on its version.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void interrupt(int signal) { (void)signal; }

int linux_thread_alarm(void) {
    // Without SA_RESTART: a call that waits is to return.
    struct sigaction action = {.sa_handler = interrupt};
    sigemptyset(&action.sa_mask);
    if (sigaction(ALARM_SIGNAL, &action, NULL) == -1) return -1;
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, ALARM_SIGNAL);
    errno = pthread_sigmask(SIG_UNBLOCK, &own, NULL);
    if (errno != 0) return -1;

    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID,
        .sigev_signo = ALARM_SIGNAL,
        .sigev_notify_thread_id = (pid_t)syscall(SYS_gettid),
    };
    // The kernel's own number, which is an int; the C library's timer_t is a pointer.
    int timer;
    return syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == -1 ? -1 : timer;
}

int linux_set_thread_alarm(int timer, int64_t milliseconds) {
    const struct timespec period = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    const struct itimerspec setting = {.it_interval = period, .it_value = period};
    return (int)syscall(SYS_timer_settime, timer, 0, &setting, NULL);
}

void linux_delete_thread_alarm(int timer) { syscall(SYS_timer_delete, timer); }
