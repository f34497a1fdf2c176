#include "CSignalGate.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t inherited_mask;

// The lowest priority number that is not the C library's own: before any other constructor.
__attribute__((constructor(101))) static void close_gate(void) {
    // The system call itself: the C library's function leaves its own two signals out.
    uint64_t all = ~UINT64_C(0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &inherited_mask, sizeof all);
}

uint64_t signal_gate_inherited_mask(void) { return inherited_mask; }
