// Taking the view away, or putting something over it. What succeeds is undone.

#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int undone(int refusal, const char *path) {
    if (refusal == 0) umount2(path, MNT_DETACH);
    return refusal;
}

static int mount_over(const struct attack *attack) {
    return undone(
        REFUSAL(mount("none", attack->path, "tmpfs", MS_NODEV | MS_NOSUID, "size=4k")),
        attack->path);
}

static int bind_over(const struct attack *attack) {
    return undone(REFUSAL(mount("/proc", attack->path, NULL, MS_BIND, NULL)), attack->path);
}

static int remount(const struct attack *attack) {
    // What it already has, said again.
    return REFUSAL(mount(
        NULL, attack->path, NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOSUID, NULL));
}

static int unmount(const struct attack *attack) {
    return REFUSAL(umount2(attack->path, MNT_DETACH));
}

// A private namespace in which everything is permitted; except what others mounted.
static int unmount_as_root_of_a_namespace(const struct attack *attack) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1) return errno;
    return REFUSAL(umount2(attack->path, MNT_DETACH));
}

static int mount_device(const struct attack *attack) {
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device == -1) {
        const int refusal = errno;
        // Where there is none, one can be made: the device cgroup decides whether it opens.
        if (mknod("/tmp/attack-fuse", S_IFCHR | 0600, makedev(10, 229)) == -1) return refusal;
        device = open("/tmp/attack-fuse", O_RDWR | O_CLOEXEC);
        unlink("/tmp/attack-fuse");
        if (device == -1) return refusal;
    }
    char options[128];
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    return undone(REFUSAL(mount("x", attack->path, "fuse", 0, options)), attack->path);
}

static int open_filesystem(const struct attack *attack) {
    (void)attack;
    return REFUSAL(syscall(SYS_fsopen, "tmpfs", 0));
}

static int clone_tree(const struct attack *attack) {
    // OPEN_TREE_CLONE
    return REFUSAL(syscall(SYS_open_tree, AT_FDCWD, attack->path, 1));
}

static int join_namespace(const struct attack *attack) {
    (void)attack;
    const int file = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (file == -1) return errno;
    return REFUSAL(setns(file, CLONE_NEWNS));
}

static int make_user_namespace(const struct attack *attack) {
    (void)attack;
    return REFUSAL(unshare(CLONE_NEWUSER));
}

const struct attempt attempts_on_mounts[] = {
    {"mount-over", mount_over},
    {"bind-over", bind_over},
    {"remount", remount},
    {"unmount", unmount},
    {"unmount-userns", unmount_as_root_of_a_namespace},
    {"fuse-mount", mount_device},
    {"fsopen", open_filesystem},
    {"open_tree", clone_tree},
    {"setns", join_namespace},
    {"userns", make_user_namespace},
    {NULL, NULL},
};
