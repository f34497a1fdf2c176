// Every operation passed on to the backing directory, and written down once it was done.

#define FUSE_USE_VERSION 314

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "recording.h"

#define FAIL_IF_TOLD(operation) \
    do { \
        int told = recording_fault(operation); \
        if (told) return told; \
    } while (0)

#define RETURN_IF_FAILED(call) \
    do { \
        if ((call) < 0) return -errno; \
    } while (0)

// A path below the backing directory, in a buffer of the caller's.
#define BACKING(path) (backing((path), (char[8192]){0}))

static const char *backing(const char *path, char *buffer) {
    snprintf(buffer, 8192, "%s%s", recording_backing, path);
    return buffer;
}

static uint64_t number_of(const char *path) {
    struct stat status;
    return lstat(BACKING(path), &status) < 0 ? 0 : status.st_ino;
}

static uint64_t number_at(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) < 0 ? 0 : status.st_ino;
}

static void *op_init(struct fuse_conn_info *connection, struct fuse_config *settings) {
    (void)connection;
    // A removed file is gone, what has it open keeps it; nothing is remembered here.
    settings->hard_remove = 1;
    settings->nullpath_ok = 1;
    settings->use_ino = 1;
    settings->direct_io = 1;
    settings->attr_timeout = settings->entry_timeout = settings->negative_timeout = 0;
    return NULL;
}

static int op_getattr(const char *path, struct stat *status, struct fuse_file_info *file) {
    FAIL_IF_TOLD('g');
    RETURN_IF_FAILED(file ? fstat((int)file->fh, status) : lstat(BACKING(path), status));
    return 0;
}

static int op_readlink(const char *path, char *target, size_t room) {
    FAIL_IF_TOLD(OP_READ);
    ssize_t count = readlink(BACKING(path), target, room - 1);
    RETURN_IF_FAILED(count);
    target[count] = 0;
    return 0;
}

static int op_mknod(const char *path, mode_t mode, dev_t device) {
    FAIL_IF_TOLD(OP_CREATE);
    RETURN_IF_FAILED(mknod(BACKING(path), mode, device));
    recording_append(OP_CREATE, number_of(path), mode, 0, path, NULL, NULL, 0);
    return 0;
}

static int op_mkdir(const char *path, mode_t mode) {
    FAIL_IF_TOLD(OP_MKDIR);
    RETURN_IF_FAILED(mkdir(BACKING(path), mode));
    recording_append(OP_MKDIR, number_of(path), 0, 0, path, NULL, NULL, 0);
    return 0;
}

static int op_unlink(const char *path) {
    FAIL_IF_TOLD(OP_UNLINK);
    RETURN_IF_FAILED(unlink(BACKING(path)));
    recording_append(OP_UNLINK, 0, 0, 0, path, NULL, NULL, 0);
    return 0;
}

static int op_rmdir(const char *path) {
    FAIL_IF_TOLD(OP_RMDIR);
    RETURN_IF_FAILED(rmdir(BACKING(path)));
    recording_append(OP_RMDIR, 0, 0, 0, path, NULL, NULL, 0);
    return 0;
}

static int op_symlink(const char *target, const char *path) {
    FAIL_IF_TOLD(OP_SYMLINK);
    RETURN_IF_FAILED(symlink(target, BACKING(path)));
    recording_append(OP_SYMLINK, number_of(path), 0, 0, path, NULL, target, strlen(target));
    return 0;
}

static int op_rename(const char *from, const char *to, unsigned flags) {
    FAIL_IF_TOLD(OP_RENAME);
    RETURN_IF_FAILED(renameat2(AT_FDCWD, BACKING(from), AT_FDCWD, BACKING(to), flags));
    recording_append(OP_RENAME, 0, flags, 0, from, to, NULL, 0);
    return 0;
}

static int op_link(const char *from, const char *to) {
    FAIL_IF_TOLD(OP_LINK);
    RETURN_IF_FAILED(link(BACKING(from), BACKING(to)));
    recording_append(OP_LINK, 0, 0, 0, from, to, NULL, 0);
    return 0;
}

static int op_chmod(const char *path, mode_t mode, struct fuse_file_info *file) {
    FAIL_IF_TOLD(OP_OTHER);
    RETURN_IF_FAILED(file ? fchmod((int)file->fh, mode) : chmod(BACKING(path), mode));
    return 0;
}

static int op_chown(const char *path, uid_t user, gid_t group, struct fuse_file_info *file) {
    FAIL_IF_TOLD(OP_OTHER);
    RETURN_IF_FAILED(file ? fchown((int)file->fh, user, group) : lchown(BACKING(path), user, group));
    return 0;
}

static int op_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *file) {
    FAIL_IF_TOLD(OP_OTHER);
    RETURN_IF_FAILED(file ? futimens((int)file->fh, times)
                          : utimensat(AT_FDCWD, BACKING(path), times, AT_SYMLINK_NOFOLLOW));
    return 0;
}

static int op_truncate(const char *path, off_t size, struct fuse_file_info *file) {
    FAIL_IF_TOLD(OP_TRUNCATE);
    RETURN_IF_FAILED(file ? ftruncate((int)file->fh, size) : truncate(BACKING(path), size));
    uint64_t number = file ? number_at((int)file->fh) : number_of(path);
    recording_append(OP_TRUNCATE, number, (uint64_t)size, 0, "", NULL, NULL, 0);
    return 0;
}

static int op_open(const char *path, struct fuse_file_info *file) {
    FAIL_IF_TOLD(OP_READ);
    if ((file->flags & O_ACCMODE) != O_RDONLY) FAIL_IF_TOLD(OP_OPEN);
    int descriptor = open(BACKING(path), (file->flags & ~(O_CREAT | O_EXCL)) | O_CLOEXEC);
    RETURN_IF_FAILED(descriptor);
    file->fh = (uint64_t)descriptor;
    return 0;
}

static int op_create(const char *path, mode_t mode, struct fuse_file_info *file) {
    FAIL_IF_TOLD(OP_CREATE);
    int descriptor = open(BACKING(path), file->flags | O_CREAT | O_CLOEXEC, mode);
    RETURN_IF_FAILED(descriptor);
    file->fh = (uint64_t)descriptor;
    recording_append(OP_CREATE, number_at(descriptor), mode, 0, path, NULL, NULL, 0);
    return 0;
}

static int op_read(const char *path, char *buffer, size_t count, off_t offset, struct fuse_file_info *file) {
    (void)path;
    FAIL_IF_TOLD(OP_READ);
    ssize_t read = pread((int)file->fh, buffer, count, offset);
    RETURN_IF_FAILED(read);
    return (int)read;
}

static int op_write(const char *path, const char *bytes, size_t count, off_t offset,
                    struct fuse_file_info *file) {
    (void)path;
    int told = recording_fault(OP_WRITE);
    if (told) count = recording_torn(count);
    ssize_t written = count ? pwrite((int)file->fh, bytes, count, offset) : 0;
    RETURN_IF_FAILED(written);
    if (written)
        recording_append(OP_WRITE, number_at((int)file->fh), (uint64_t)offset, 0, "", NULL, bytes,
                         (size_t)written);
    return told ? told : (int)written;
}

static int op_fallocate(const char *path, int mode, off_t offset, off_t count, struct fuse_file_info *file) {
    (void)path;
    FAIL_IF_TOLD(mode & FALLOC_FL_PUNCH_HOLE ? OP_PUNCH : OP_OTHER);
    // The worker asks for room that changes no length, and for holes; what else there is would have to be recorded.
    if (!(mode & FALLOC_FL_KEEP_SIZE)) return -EOPNOTSUPP;
    RETURN_IF_FAILED(fallocate((int)file->fh, mode, offset, count));
    if (mode & FALLOC_FL_PUNCH_HOLE)
        recording_append(OP_PUNCH, number_at((int)file->fh), (uint64_t)offset, (uint64_t)count, "", NULL,
                         NULL, 0);
    return 0;
}

static int op_release(const char *path, struct fuse_file_info *file) {
    (void)path;
    close((int)file->fh);
    return 0;
}

static int op_fsync(const char *path, int data_only, struct fuse_file_info *file) {
    (void)path;
    FAIL_IF_TOLD(OP_FSYNC);
    // Nothing has to be on a disk here: what matters is that it was asked for.
    recording_append(OP_FSYNC, number_at((int)file->fh), (uint64_t)data_only, 0, "", NULL, NULL, 0);
    return 0;
}

static int op_opendir(const char *path, struct fuse_file_info *file) {
    FAIL_IF_TOLD(OP_READ);
    int descriptor = open(BACKING(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    RETURN_IF_FAILED(descriptor);
    file->fh = (uint64_t)descriptor;
    return 0;
}

static int op_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *file, enum fuse_readdir_flags flags) {
    (void)path, (void)offset, (void)flags;
    FAIL_IF_TOLD(OP_READ);
    int copy = openat((int)file->fh, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (!directory) return -errno;
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat status = {.st_ino = entry->d_ino, .st_mode = (mode_t)DTTOIF(entry->d_type)};
        fill(buffer, entry->d_name, &status, 0, 0);
    }
    closedir(directory);
    return 0;
}

static int op_statfs(const char *path, struct statvfs *status) {
    (void)path;
    RETURN_IF_FAILED(statvfs(recording_backing, status));
    return 0;
}

static int op_setxattr(const char *path, const char *name, const char *value, size_t count, int flags) {
    FAIL_IF_TOLD(OP_OTHER);
    RETURN_IF_FAILED(lsetxattr(BACKING(path), name, value, count, flags));
    return 0;
}

static int op_getxattr(const char *path, const char *name, char *value, size_t count) {
    ssize_t found = lgetxattr(BACKING(path), name, value, count);
    RETURN_IF_FAILED(found);
    return (int)found;
}

static int op_listxattr(const char *path, char *list, size_t count) {
    ssize_t found = llistxattr(BACKING(path), list, count);
    RETURN_IF_FAILED(found);
    return (int)found;
}

static int op_removexattr(const char *path, const char *name) {
    FAIL_IF_TOLD(OP_OTHER);
    RETURN_IF_FAILED(lremovexattr(BACKING(path), name));
    return 0;
}

const struct fuse_operations recording_operations = {
    .init = op_init,
    .getattr = op_getattr,
    .readlink = op_readlink,
    .mknod = op_mknod,
    .mkdir = op_mkdir,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .symlink = op_symlink,
    .rename = op_rename,
    .link = op_link,
    .chmod = op_chmod,
    .chown = op_chown,
    .utimens = op_utimens,
    .truncate = op_truncate,
    .open = op_open,
    .create = op_create,
    .read = op_read,
    .write = op_write,
    .fallocate = op_fallocate,
    .release = op_release,
    .fsync = op_fsync,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .releasedir = op_release,
    .fsyncdir = op_fsync,
    .statfs = op_statfs,
    .setxattr = op_setxattr,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .removexattr = op_removexattr,
};
