// What a process gives up for good: system calls (seccomp) and paths (Landlock).

#ifndef CLINUX_SANDBOX_H
#define CLINUX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

// Installs a filter that lets the named system calls through and fails all others with `error`.
// A call of another architecture's table ends the process. Needs no_new_privs or CAP_SYS_ADMIN.
// All threads of the process take it on. Returns 0, or -1 with errno.
int linux_restrict_system_calls(const int *allowed, size_t count, int error);

// The ABI version of Landlock the kernel has, or -1 with errno.
int linux_landlock_version(void);

// Creates a ruleset that handles these file accesses. Returns a descriptor, or -1 with errno.
int linux_landlock_create_ruleset(uint64_t handled_access);

// Opens a path with O_PATH, to be named in a rule. Returns a descriptor, or -1 with errno.
int linux_landlock_open(const char *path);

// Allows accesses at and below an open directory, or on an open file. Returns 0, or -1 with errno.
int linux_landlock_allow(int ruleset, int path, uint64_t access);

// Restricts the calling thread and its later children. Returns 0, or -1 with errno.
int linux_landlock_restrict(int ruleset);

#endif
