#include "CLinuxProcess.h"

#include "CLinux.h"

#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int linux_get_capabilities(struct linux_capabilities *sets) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &header, data) == -1) return -1;
    sets->effective = data[0].effective | (uint64_t)data[1].effective << 32;
    sets->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    sets->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int linux_set_capabilities(const struct linux_capabilities *sets) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)sets->effective, (uint32_t)sets->permitted, (uint32_t)sets->inheritable},
        {(uint32_t)(sets->effective >> 32), (uint32_t)(sets->permitted >> 32),
         (uint32_t)(sets->inheritable >> 32)},
    };
    return (int)syscall(SYS_capset, &header, data);
}

int linux_set_dumpable(bool dumpable) { return prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0); }

int linux_set_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int linux_is_subreaper(void) {
    int answer = 0;
    if (prctl(PR_GET_CHILD_SUBREAPER, &answer, 0, 0, 0) == -1) return -1;
    return answer;
}

int linux_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

int linux_bounding_contains(int capability) {
    return prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
}

int linux_no_new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }

int linux_processor_count(void) {
    cpu_set_t allowed;
    // Fails where there are more than the C library's set has room for.
    long count = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed)
                                                                      : sysconf(_SC_NPROCESSORS_ONLN);
    return count > 1 ? (int)count : 1;
}

int linux_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int linux_get_signal_mask(uint64_t *mask) {
    return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, mask, sizeof *mask);
}

int linux_set_signal_mask(uint64_t mask) {
    return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}

int linux_set_disposition(int signal, bool ignore) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ignore ? SIG_IGN : SIG_DFL;
    if (sigaction(signal, &action, NULL) == 0) return 0;
    return errno == EINVAL ? 0 : -1;
}

int linux_is_ignored(int signal) {
    struct sigaction action;
    if (sigaction(signal, NULL, &action) == -1) return errno == EINVAL ? 0 : -1;
    return action.sa_handler == SIG_IGN ? 1 : 0;
}

int linux_signal_descriptor(uint64_t mask) {
    return (int)syscall(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

ssize_t linux_read_signals(int descriptor, struct linux_signal_report *reports, size_t capacity) {
    struct signalfd_siginfo records[16];
    if (capacity > sizeof records / sizeof *records) capacity = sizeof records / sizeof *records;
    ssize_t count = read(descriptor, records, capacity * sizeof *records);
    if (count == -1) return errno == EAGAIN ? 0 : -1;
    size_t signals = (size_t)count / sizeof *records;
    for (size_t i = 0; i < signals; i++) {
        reports[i].number = records[i].ssi_signo;
        reports[i].origin = records[i].ssi_code;
        reports[i].sender = (int32_t)records[i].ssi_pid;
    }
    return (ssize_t)signals;
}

int linux_next_child(struct linux_child_end *end, bool stopped) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int options = WEXITED | WNOHANG | (stopped ? WSTOPPED : 0);
    if (waitid(P_ALL, 0, &info, options) == -1) return -1;
    end->pid = info.si_pid;
    end->code = info.si_code;
    end->value = info.si_status;
    return 0;
}

int linux_has_children(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

int linux_open_process(pid_t pid) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int linux_signal_process(int descriptor, int signal) {
#ifdef SYS_pidfd_send_signal
    return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, NULL, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int linux_poll(struct pollfd *entries, size_t count, int64_t nanoseconds) {
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return ppoll(entries, count, nanoseconds < 0 ? NULL : &time, NULL);
}

int linux_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == -1) return -1;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

int linux_close_range(unsigned first, unsigned last) {
#ifdef SYS_close_range
    return (int)syscall(SYS_close_range, first, last, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

char **linux_environment(void) { return environ; }

void linux_clear_environment(void) {
    static char *empty[] = {NULL};
    environ = empty;
}

const char *linux_executable_path(void) { return (const char *)getauxval(AT_EXECFN); }
