// What a process gives up for good: system calls (seccomp) and paths (Landlock).

#ifndef CLINUX_SANDBOX_H
#define CLINUX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

// CLONE_THREAD.
extern const uint32_t linux_clone_thread;

// What becomes of a system call.
struct linux_call_rule {
    int number;
    // Zero-based; -1 for a rule that looks at no argument.
    int argument;
    // The rule applies where the argument's lower 32 bits & mask == value.
    uint32_t mask;
    uint32_t value;
    // 0 to let it through, else the errno it fails with.
    int error;
};

// Installs a filter: a call's first rule that applies decides, and one without fails with `error`.
// A call of another architecture's table ends the process. Needs no_new_privs or CAP_SYS_ADMIN.
// All threads of the process take it on. Returns 0, or -1 with errno.
int linux_restrict_system_calls(const struct linux_call_rule *rules, size_t count, int error);

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
