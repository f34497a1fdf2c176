// Local sockets, as far as a feature macro hides them.

#ifndef CLINUX_SOCKET_H
#define CLINUX_SOCKET_H

#include <stdint.h>

// accept4(2): the connection closes on exec and does not block.
int linux_accept(int listener);

// getsockopt(2) with SO_PEERCRED: who connected, or who listened. `process` is 0 where that process
// is not in this pid namespace. Returns 0, or -1 with errno.
int linux_peer(int connection, int32_t *process, uint32_t *user);

#endif
