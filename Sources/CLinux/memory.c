#include "CLinuxFile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

// Linux 6.3; the C library's header may be older.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int linux_memory_file(const char *label) {
    int descriptor = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (descriptor == -1 && errno == EINVAL)
        descriptor = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return descriptor;
}

int linux_seal(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int linux_duplicate_for_exec(int descriptor, int lowest) {
    return fcntl(descriptor, F_DUPFD, lowest);
}

int linux_is_on_ramfs(int descriptor) {
    struct statfs status;
    if (fstatfs(descriptor, &status) == -1) return -1;
    return status.f_type == RAMFS_MAGIC;
}
