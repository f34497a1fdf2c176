// Counts what a process allocates on the heap, in builds for tests (not static ones, whose C library has no room
// for a second malloc). SIGUSR1 has it write `allocations N` to standard output.

#ifndef CALLOCATIONCOUNT_H
#define CALLOCATIONCOUNT_H

void allocation_count_on_signal(void);

#endif
