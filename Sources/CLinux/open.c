#include "CLinux.h"

int linux_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

int linux_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

int linux_replace(int descriptor, int replacement) { return dup3(replacement, descriptor, O_CLOEXEC); }

int linux_get_status_flags(int descriptor) { return fcntl(descriptor, F_GETFL); }

int linux_set_status_flags(int descriptor, int flags) { return fcntl(descriptor, F_SETFL, flags); }

int linux_close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

int linux_closes_on_exec(int descriptor) {
    int flags = fcntl(descriptor, F_GETFD);
    return flags == -1 ? -1 : (flags & FD_CLOEXEC) != 0;
}
