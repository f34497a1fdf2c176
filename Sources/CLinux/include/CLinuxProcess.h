// What a process is and may do: capabilities, attributes set by prctl, signals as the kernel counts
// them, descriptors of processes.

#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Bit n stands for capability n.
struct linux_capabilities {
    uint64_t effective;
    uint64_t permitted;
    uint64_t inheritable;
};

// capget(2) and capset(2) of this thread; the C library has no wrapper. 0 or -1 and errno.
int linux_get_capabilities(struct linux_capabilities *sets);
int linux_set_capabilities(const struct linux_capabilities *sets);

// prctl(2) is variadic. 0, or 1 where a question is answered yes, or -1 and errno.
int linux_set_dumpable(bool dumpable);
int linux_set_subreaper(void);
int linux_is_subreaper(void);
int linux_set_parent_death_signal(int signal);
int linux_bounding_contains(int capability);
int linux_no_new_privileges(void);
// How many processors this process may run on, from sched_getaffinity(2); 1 or more.
int linux_processor_count(void);
// What lists of processes show; cut off after 15 bytes.
int linux_set_name(const char *name);

// The kernel's 64-bit signal sets: bit n-1 stands for signal n. The C library's own functions leave
// out the two signals it keeps for itself, which an init forwards like any other.
int linux_get_signal_mask(uint64_t *mask);
int linux_set_signal_mask(uint64_t mask);
// SIG_IGN or SIG_DFL; a signal the C library would refuse to touch is left alone.
int linux_set_disposition(int signal, bool ignore);
// 1 when ignored, 0 when not, -1 and errno.
int linux_is_ignored(int signal);

// signalfd4(2): not inherited by exec, does not block.
int linux_signal_descriptor(uint64_t mask);

struct linux_signal_report {
    uint32_t number;
    int32_t origin;  // si_code
    int32_t sender;  // si_pid
};

// Reads up to `capacity` signals. The number read, 0 when there is none now, -1 and errno.
ssize_t linux_read_signals(int descriptor, struct linux_signal_report *reports, size_t capacity);

struct linux_child_end {
    int32_t pid;   // 0: none has ended or stopped
    int32_t code;  // CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_STOPPED, CLD_CONTINUED
    int32_t value; // exit status or signal
};

// waitid(2) for any child, without blocking: ended ones, and stopped ones where asked.
int linux_next_child(struct linux_child_end *end, bool stopped);

// 1 when there is a child, ended or not; 0 when there is none.
int linux_has_children(void);

// pidfd_open(2), pidfd_send_signal(2): ENOSYS before Linux 5.3 and 5.1.
int linux_open_process(pid_t pid);
int linux_signal_process(int descriptor, int signal);

// ppoll(2), which hides behind a feature macro. Negative nanoseconds: no time limit.
struct pollfd;
int linux_poll(struct pollfd *entries, size_t count, int64_t nanoseconds);

// A timer (timer_create(2)) that interrupts what the calling thread waits in, by SIGURG, which nobody else may
// handle. Made unset; set to a period, or to 0 for none. The first returns a number, or -1 and errno.
int linux_thread_alarm(void);
int linux_set_thread_alarm(int timer, int64_t milliseconds);
void linux_delete_thread_alarm(int timer);

// pipe2(2), behind the same macro: both ends close on exec.
int linux_pipe(int *read_end, int *write_end);

// close_range(2): everything from `first` to `last`. ENOSYS before Linux 5.9.
int linux_close_range(unsigned first, unsigned last);

// The environment as the program received it; NULL-terminated.
char **linux_environment(void);
// Makes the C library see an empty environment from here on.
void linux_clear_environment(void);

// The path the program was executed by, from the auxiliary vector; NULL when not known.
const char *linux_executable_path(void);

#endif
