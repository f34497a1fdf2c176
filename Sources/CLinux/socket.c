#include "CLinuxSocket.h"

#include <stddef.h>
#include <sys/socket.h>

int linux_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int linux_peer(int connection, int32_t *process, uint32_t *user) {
    struct ucred credentials;
    socklen_t count = sizeof credentials;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &count) == -1) return -1;
    *process = credentials.pid;
    *user = credentials.uid;
    return 0;
}
