#include "CLinuxSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no audit architecture known for this processor"
#endif

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

// The lower half of an argument, wherever the processor keeps it.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOWER_HALF 0
#else
#define LOWER_HALF 4
#endif

// Written at the end of a rule: what becomes of a call it applies to.
static struct sock_filter verdict(const struct linux_call_rule *rule) {
    return (struct sock_filter)BPF_STMT(
        BPF_RET | BPF_K,
        rule->error == 0 ? SECCOMP_RET_ALLOW
                         : SECCOMP_RET_ERRNO | ((unsigned)rule->error & SECCOMP_RET_DATA));
}

// Expects the call's number in the accumulator, and leaves it there. Jump distances are one byte,
// so each rule has a return of its own. Returns how many instructions it took: six at most.
static size_t write_rule(const struct linux_call_rule *rule, struct sock_filter *filter) {
    size_t i = 0;
    const bool looks = rule->argument >= 0;
    filter[i++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, (unsigned)rule->number, 0, looks ? 5 : 1);
    if (!looks) {
        filter[i++] = verdict(rule);
        return i;
    }
    const unsigned offset = (unsigned)offsetof(struct seccomp_data, args) +
                            (unsigned)rule->argument * (unsigned)sizeof(uint64_t) + LOWER_HALF;
    filter[i++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
    filter[i++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule->mask);
    filter[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rule->value, 0, 1);
    filter[i++] = verdict(rule);
    filter[i++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    return i;
}

int linux_restrict_system_calls(const struct linux_call_rule *rules, size_t count, int error) {
    const size_t length = 4 + 6 * count + 1;
    if (length > BPF_MAXINSNS) {
        errno = EINVAL;
        return -1;
    }
    struct sock_filter *filter = calloc(length, sizeof *filter);
    if (filter == NULL) return -1;

    size_t i = 0;
    filter[i++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[i++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 1, 0);
    filter[i++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[i++] = (struct sock_filter)BPF_STMT(
        BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    // The numbers of x86-64's table of 32-bit pointers have a bit set that none of ours has: they
    // match nothing and fail like any other.
    for (size_t rule = 0; rule < count; rule++) i += write_rule(&rules[rule], filter + i);
    filter[i++] = (struct sock_filter)BPF_STMT(
        BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA));

    struct sock_fprog program = {.len = (unsigned short)i, .filter = filter};
    long result = syscall(
        SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    int code = errno;
    free(filter);
    errno = code;
    // With TSYNC a positive result is the id of a thread that could not take the filter on.
    if (result > 0) {
        errno = EBUSY;
        return -1;
    }
    return (int)result;
}

// Declared here because the headers of older systems lack them; the numbers are the same on every
// architecture.
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

const uint32_t linux_clone_thread = CLONE_THREAD;

int linux_landlock_version(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
}

int linux_landlock_create_ruleset(uint64_t handled_access) {
    // The first field of the kernel's structure; a shorter one means zeros for the rest.
    return (int)syscall(
        SYS_landlock_create_ruleset, &handled_access, sizeof handled_access, 0);
}

int linux_landlock_open(const char *path) { return open(path, O_PATH | O_CLOEXEC); }

int linux_landlock_allow(int ruleset, int path, uint64_t access) {
    struct path_beneath rule = {.allowed_access = access, .parent_fd = path};
    return (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

int linux_landlock_restrict(int ruleset) {
    return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
