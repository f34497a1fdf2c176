#include "CAllocationCount.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_ulong count;

#ifdef COUNTS_ALLOCATIONS
#include <errno.h>

// glibc's own, under the names it has for those who stand before them.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t items, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_calloc(items, size);
}

void *realloc(void *old, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **into, size_t alignment, size_t size) {
    void *memory = aligned_alloc(alignment, size);
    if (memory == NULL) return ENOMEM;
    *into = memory;
    return 0;
}
#endif

// Only what a signal handler may call.
static void report(int signal) {
    (void)signal;
    char line[48] = "allocations ";
    size_t length = 12;
    char digits[20];
    size_t used = 0;
    unsigned long left = atomic_load(&count);
    do digits[used++] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    while (used > 0) line[length++] = digits[--used];
    line[length++] = '\n';
    (void)!write(STDOUT_FILENO, line, length);
}

void allocation_count_on_signal(void) {
    struct sigaction action = {.sa_handler = report, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
}
