// Making another process do something, with the rights of a debugger.

#include "Attacker.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
typedef struct user_regs_struct registers;
#define COUNTER(r) (r).rip
#define CALL_SIZE 2
#define IS_CALL(word) (((word)&0xffff) == 0x050f)
#define RESULT(r) (r).rax
// By us, or on the way into the call: made again, not finished.
#define IS_INTERRUPTED(r) ((long)(r).rax < -500 && (long)(r).rax > -520 && (long)(r).orig_rax >= 0)
#define SET_CALL(r, n, a, b, c) \
    ((r).rax = (unsigned long)(n), (r).rdi = (unsigned long)(a), (r).rsi = (unsigned long)(b), \
     (r).rdx = (unsigned long)(c), (r).orig_rax = -1UL)
// The call it was in is made again.
#define RESTART(r) ((r).rax = (r).orig_rax, (r).orig_rax = -1UL)
#elif defined(__aarch64__)
typedef struct user_regs_struct registers;
#define COUNTER(r) (r).pc
#define CALL_SIZE 4
#define IS_CALL(word) (((word)&0xffffffff) == 0xd4000001)
#define RESULT(r) (r).regs[0]
#define IS_INTERRUPTED(r) ((long)(r).regs[0] < -500 && (long)(r).regs[0] > -520)
#define SET_CALL(r, n, a, b, c) \
    ((r).regs[8] = (unsigned long)(n), (r).regs[0] = (unsigned long)(a), \
     (r).regs[1] = (unsigned long)(b), (r).regs[2] = (unsigned long)(c))
#define RESTART(r) ((void)(r))
#endif

static int transfer(enum __ptrace_request request, pid_t target, registers *into) {
    struct iovec area = {into, sizeof *into};
    return (int)ptrace(request, target, (void *)NT_PRSTATUS, &area);
}

// Stops a process while it waits in a system call, which it comes to sooner or later. Returns 0 or an
// errno.
static int stop(pid_t target, registers *at) {
    if (ptrace(PTRACE_SEIZE, target, 0, PTRACE_O_SUSPEND_SECCOMP) == -1) return errno;
    for (int attempt = 0; attempt < 5000; attempt++) {
        if (ptrace(PTRACE_INTERRUPT, target, 0, 0) == -1) return errno;
        int status;
        if (waitpid(target, &status, __WALL) == -1) return errno;
        if (!WIFSTOPPED(status)) return ESRCH;
        if (transfer(PTRACE_GETREGSET, target, at) == -1) return errno;
        errno = 0;
        const long word = ptrace(PTRACE_PEEKTEXT, target, COUNTER(*at) - CALL_SIZE, 0);
        const bool isEvent = status >> 16 == PTRACE_EVENT_STOP;
        if (isEvent && errno == 0 && IS_CALL(word) && IS_INTERRUPTED(*at)) return 0;
        // A signal that was on its way goes on.
        ptrace(PTRACE_CONT, target, 0, isEvent ? 0 : WSTOPSIG(status));
        usleep(1000);
    }
    return EAGAIN;
}

long inject_call(pid_t target, long number, long first, long second, long third) {
    registers found, ours;
    const int refusal = stop(target, &found);
    if (refusal != 0) return -refusal;
    ours = found;
    COUNTER(ours) -= CALL_SIZE;
    SET_CALL(ours, number, first, second, third);
    if (transfer(PTRACE_SETREGSET, target, &ours) == -1) return -errno;
    for (int side = 0; side < 2; side++) {
        if (ptrace(PTRACE_SYSCALL, target, 0, 0) == -1) return -errno;
        if (waitpid(target, NULL, __WALL) == -1) return -errno;
    }
    if (transfer(PTRACE_GETREGSET, target, &ours) == -1) return -errno;
    COUNTER(found) -= CALL_SIZE;
    RESTART(found);
    if (transfer(PTRACE_SETREGSET, target, &found) == -1) return -errno;
    ptrace(PTRACE_DETACH, target, 0, 0);
    return (long)RESULT(ours);
}

int inject_fault(pid_t target) {
    registers at;
    const int refusal = stop(target, &at);
    if (refusal != 0) return refusal;
    COUNTER(at) = 0;
#if defined(__x86_64__)
    at.orig_rax = -1UL;
#endif
    if (transfer(PTRACE_SETREGSET, target, &at) == -1) return errno;
    return ptrace(PTRACE_DETACH, target, 0, 0) == -1 ? errno : 0;
}
