// What an attacker, or the control of an attempt, changes around secure-init.

#include "Attacker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int without_landlock(char **program) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        // landlock_create_ruleset, on every architecture.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog list = {.len = 4, .filter = filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &list, 0, 0) == -1) return errno;
    execvp(program[0], program);
    return errno;
}

int exchange(const char *first, const char *second) {
    puts("exchanging");
    fflush(stdout);
    for (;;)
        if (renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE) == -1 && errno != EBUSY)
            return errno;
}

int catch_core(const char *path) {
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file == -1) return errno;
    static char bytes[1 << 16];
    ssize_t count;
    while ((count = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
        if (write(file, bytes, (size_t)count) != count) return errno;
    return 0;
}

static bool is_empty(const char *path) {
    DIR *directory = opendir(path);
    if (directory == NULL) return false;
    int count = 0;
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count == 2;
}

int mount_naively(const char *path, const char *hidden) {
    alarm(60);
    for (;;) {
        char resolved[PATH_MAX];
        struct stat status;
        if (realpath(path, resolved) == NULL || !is_empty(resolved)) continue;
        if (lstat(resolved, &status) == -1 || !S_ISDIR(status.st_mode)) continue;
        if (mount("none", resolved, "tmpfs", 0, NULL) == -1) return errno;
        if (access(hidden, F_OK) == -1) return 0;
        umount2(resolved, MNT_DETACH);
    }
}
