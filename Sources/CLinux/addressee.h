// What a service manager hands to one process by its pid, handed on to a child. Between fork and exec.

#ifndef CLINUX_ADDRESSEE_H
#define CLINUX_ADDRESSEE_H

// Changes the variables of `envp` that name the parent's pid, and say so to whom something was handed, to
// name this process; called in the child. Makes no system call but getpid and getppid, allocates nothing.
//
// LISTEN_PID: sd_listen_fds(3); WATCHDOG_PID: sd_watchdog_enabled(3).
void linux_become_addressee(char **envp);

#endif
