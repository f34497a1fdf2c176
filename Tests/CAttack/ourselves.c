// Looking at what was left in the attacker's own process.

#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int with_ourselves(const struct attack *attack, const char *name) {
    struct attack own = *attack;
    own.target = getpid();
    return attack_run(name, &own);
}

static int own_environment(const struct attack *attack) { return with_ourselves(attack, "environ"); }

// The stack, and what the heap and the libraries were given by the process before the exec.
static int own_memory(const struct attack *attack) { return with_ourselves(attack, "mem"); }

// Anything open that is not standard input, output or error.
static int inherited_descriptors(const struct attack *attack) {
    (void)attack;
    for (int number = 3; number < 1024; number++) {
        const int flags = fcntl(number, F_GETFD);
        if (flags != -1 && (flags & FD_CLOEXEC) == 0) return 0;
    }
    return ENODATA;
}

static int inherited_device(const struct attack *attack) {
    (void)attack;
    for (int number = 0; number < 1024; number++) {
        struct stat status;
        if (fstat(number, &status) == 0 && S_ISCHR(status.st_mode) &&
            status.st_rdev == makedev(10, 229))
            return 0;
    }
    return ENODATA;
}

static int open_file(const struct attack *attack) {
    const int file = open(attack->path, O_RDONLY | O_CLOEXEC);
    if (file == -1) return errno;
    close(file);
    return 0;
}

const struct attempt attempts_on_ourselves[] = {
    {"own-environ", own_environment},
    {"own-memory", own_memory},
    {"own-descriptors", inherited_descriptors},
    {"own-fuse", inherited_device},
    {"open", open_file},
    {NULL, NULL},
};
