// Getting hold of another process, or of what it has open.

#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int attach(const struct attack *attack) {
    if (ptrace(PTRACE_ATTACH, attack->target, 0, 0) == -1) return errno;
    waitpid(attack->target, NULL, __WALL);
    ptrace(PTRACE_DETACH, attack->target, 0, 0);
    return 0;
}

static int seize(const struct attack *attack) {
    if (ptrace(PTRACE_SEIZE, attack->target, 0, 0) == -1) return errno;
    return 0;
}

static int list_descriptors(const struct attack *attack) {
    int refusal = ENODATA;
    for (int number = 0; number < 32; number++) {
        char path[64], link[256];
        snprintf(path, sizeof path, "/proc/%d/fd/%d", attack->target, number);
        if (readlink(path, link, sizeof link) != -1) return 0;
        if (errno != ENOENT) refusal = errno;
    }
    return refusal;
}

// Reading from a pipe between supervisor and helper would also take what is in it.
static int open_descriptors(const struct attack *attack) {
    int refusal = ENODATA;
    for (int number = 3; number < 32; number++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/fd/%d", attack->target, number);
        const int file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (file != -1) {
            close(file);
            return 0;
        }
        // ENXIO: what it is cannot be opened a second time, but could be asked for.
        if (errno == ENXIO) return 0;
        if (errno != ENOENT) refusal = errno;
    }
    return refusal;
}

static int take_descriptor(const struct attack *attack) {
    const int process = (int)syscall(SYS_pidfd_open, attack->target, 0);
    if (process == -1) return errno;
    int refusal = ENODATA;
    for (int number = 0; number < 32 && refusal != 0; number++) {
        const int taken = (int)syscall(SYS_pidfd_getfd, process, number, 0);
        if (taken != -1) {
            close(taken);
            refusal = 0;
        } else if (errno != EBADF) {
            refusal = errno;
        }
    }
    close(process);
    return refusal;
}

static int compare(const struct attack *attack) {
    return REFUSAL(syscall(SYS_kcmp, getpid(), attack->target, KCMP_VM, 0, 0));
}

// Samples of a process's stack are parts of its memory.
static int watch(const struct attack *attack) {
    struct perf_event_attr event;
    memset(&event, 0, sizeof event);
    event.type = PERF_TYPE_SOFTWARE;
    event.size = sizeof event;
    event.config = PERF_COUNT_SW_TASK_CLOCK;
    event.exclude_kernel = 1;
    event.sample_type = PERF_SAMPLE_STACK_USER;
    event.sample_stack_user = 4096;
    event.sample_period = 1000;
    const int watcher = (int)syscall(SYS_perf_event_open, &event, attack->target, -1, -1, 0);
    if (watcher == -1) return errno;
    close(watcher);
    return 0;
}

static int follow_links(const struct attack *attack) {
    const char *const names[] = {"cwd", "exe", "root"};
    int refusal = ENODATA;
    for (size_t i = 0; i < 3; i++) {
        char path[64], link[256];
        snprintf(path, sizeof path, "/proc/%d/%s", attack->target, names[i]);
        if (readlink(path, link, sizeof link) != -1) return 0;
        refusal = errno;
    }
    return refusal;
}

static int send_signal(const struct attack *attack) { return REFUSAL(kill(attack->target, 0)); }

static int send_thread_signal(const struct attack *attack) {
    return REFUSAL(syscall(SYS_tgkill, attack->target, attack->target, 0));
}

static int change_limit(const struct attack *attack) {
    struct rlimit limit;
    if (prlimit(attack->target, RLIMIT_CORE, NULL, &limit) == -1) return errno;
    return REFUSAL(prlimit(attack->target, RLIMIT_CORE, &limit, NULL));
}

static int steal(const struct attack *attack) {
    const int process = (int)syscall(SYS_pidfd_open, attack->target, 0);
    return REFUSAL(process);
}

const struct attempt attempts_on_processes[] = {
    {"ptrace-attach", attach},
    {"ptrace-seize", seize},
    {"fd-list", list_descriptors},
    {"fd-open", open_descriptors},
    {"pidfd_getfd", take_descriptor},
    {"pidfd_open", steal},
    {"kcmp", compare},
    {"perf_event_open", watch},
    {"links", follow_links},
    {"signal", send_signal},
    {"tgkill", send_thread_signal},
    {"prlimit", change_limit},
    {NULL, NULL},
};
