// Blocks every signal before the Swift runtime starts up, which takes milliseconds.
//
// The kernel drops a signal that process 1 neither blocks nor handles: a TERM in those milliseconds
// would be lost, and the container would run until it is killed. Linked into secure-init alone.

#ifndef CSIGNALGATE_H
#define CSIGNALGATE_H

#include <stdint.h>

// The mask the process was started with: bit n - 1 for signal n.
uint64_t signal_gate_inherited_mask(void);

#endif
