// What the attacker's program does besides attempts: the privileged hands of the tests, which weaken a
// run from outside or bring about the moment in which an attempt is to be made.

#ifndef ATTACKER_H
#define ATTACKER_H

#include <sys/types.h>

// Has a process make a system call, its filter lifted. Returns what the call gave, or a negative errno.
long inject_call(pid_t target, long number, long first, long second, long third);

// Has a process execute address 0 next. Returns 0 or an errno.
int inject_fault(pid_t target);

// Runs `program` traced; at the first exec of a process whose command line begins with `mark`, runs
// `attempt` with the process's number in place of "PID" in "PID:NAME". Returns the attempt's exit code, or 1.
int at_exec(const char *mark, char **attempt, char **program);

// Executes a program for which the kernel has no Landlock. Returns only when it cannot.
int without_landlock(char **program);

// Exchanges two names with each other until it is killed.
int exchange(const char *first, const char *second);

// Writes standard input, a core dump, into a file.
int catch_core(const char *path);

// Mounts over an empty directory, as a program would that trusts its paths, until that has hidden a file
// elsewhere: the control of the exchange. Returns 0 then, or an errno; ends by SIGALRM after a minute.
int mount_naively(const char *path, const char *hidden);

#endif
