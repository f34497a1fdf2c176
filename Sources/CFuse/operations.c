#include "session.h"

#include <errno.h>
#include <string.h>

static const cfuse_operations *table(fuse_req_t request) {
    const struct cfuse_session *session = fuse_req_userdata(request);
    return &session->operations;
}

static void set_up(void *userdata, struct fuse_conn_info *connection) {
    struct cfuse_session *session = userdata;
    unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO
        | FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO;
    if (session->settings.exclusive)
        wanted |= FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_CACHE_SYMLINKS;
    else
        wanted |= FUSE_CAP_AUTO_INVAL_DATA;
    session->stateless =
        session->settings.stateless && (connection->capable & FUSE_CAP_NO_OPEN_SUPPORT);
    // Where files are not opened, the kernel is to truncate them by a request of its own.
    if (!session->stateless) wanted |= FUSE_CAP_ATOMIC_O_TRUNC;
    if (session->settings.extended) wanted |= FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK;
    connection->want = connection->capable & wanted;
    connection->max_write = session->settings.request_limit;
    connection->max_read = session->settings.read_limit;
    connection->max_readahead = session->settings.request_limit;
    connection->max_background = session->settings.background_limit;
    connection->congestion_threshold = session->settings.background_limit * 3 / 4;
    connection->time_gran = 1;
    session->operations.ready(cfuse_thread());
}

static void lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    table(request)->lookup(cfuse_thread(), request, parent, name);
}

static void forget(fuse_req_t request, fuse_ino_t node, uint64_t count) {
    table(request)->forget(cfuse_thread(), node, count);
    fuse_reply_none(request);
}

static void forget_many(fuse_req_t request, size_t count, struct fuse_forget_data *forgotten) {
    for (size_t index = 0; index < count; index++)
        table(request)->forget(cfuse_thread(), forgotten[index].ino, forgotten[index].nlookup);
    fuse_reply_none(request);
}

static void get_attributes(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    (void)file;
    table(request)->get_attributes(cfuse_thread(), request, node);
}

static void set_attributes(
    fuse_req_t request, fuse_ino_t node, struct stat *status, int which,
    struct fuse_file_info *file) {
    const cfuse_attributes attributes = {
        .size = (uint64_t)status->st_size,
        .accessed_seconds = status->st_atim.tv_sec,
        .modified_seconds = status->st_mtim.tv_sec,
        .changed_seconds = status->st_ctim.tv_sec,
        .accessed_nanoseconds = (uint32_t)status->st_atim.tv_nsec,
        .modified_nanoseconds = (uint32_t)status->st_mtim.tv_nsec,
        .changed_nanoseconds = (uint32_t)status->st_ctim.tv_nsec,
        .mode = status->st_mode,
        .user = status->st_uid,
        .group = status->st_gid,
    };
    _Static_assert(
        FUSE_SET_ATTR_MODE == CFUSE_SET_MODE && FUSE_SET_ATTR_UID == CFUSE_SET_USER
            && FUSE_SET_ATTR_GID == CFUSE_SET_GROUP && FUSE_SET_ATTR_SIZE == CFUSE_SET_SIZE
            && FUSE_SET_ATTR_ATIME == CFUSE_SET_ACCESSED
            && FUSE_SET_ATTR_MTIME == CFUSE_SET_MODIFIED
            && FUSE_SET_ATTR_ATIME_NOW == CFUSE_SET_ACCESSED_NOW
            && FUSE_SET_ATTR_MTIME_NOW == CFUSE_SET_MODIFIED_NOW
            && FUSE_SET_ATTR_CTIME == CFUSE_SET_CHANGED,
        "the numbers are passed through");
    const uint32_t handle = file == NULL ? 0 : CFUSE_SET_BY_HANDLE;
    const uint32_t drop = cfuse_change_drops_privilege() ? CFUSE_SET_DROP_PRIVILEGE : 0;
    table(request)->set_attributes(
        cfuse_thread(), request, node, &attributes, (uint32_t)which | handle | drop);
}

static void read_link(fuse_req_t request, fuse_ino_t node) {
    table(request)->read_link(cfuse_thread(), request, node);
}

static void make_node(
    fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device) {
    table(request)->make_node(cfuse_thread(), request, parent, name, mode, device);
}

static void make_directory(
    fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode) {
    table(request)->make_directory(cfuse_thread(), request, parent, name, mode);
}

static void unlink_name(fuse_req_t request, fuse_ino_t parent, const char *name) {
    table(request)->unlink(cfuse_thread(), request, parent, name);
}

static void remove_directory(fuse_req_t request, fuse_ino_t parent, const char *name) {
    table(request)->remove_directory(cfuse_thread(), request, parent, name);
}

static void symlink_to(
    fuse_req_t request, const char *target, fuse_ino_t parent, const char *name) {
    table(request)->symlink(cfuse_thread(), request, target, parent, name);
}

static void rename_to(
    fuse_req_t request, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
    const char *new_name, unsigned int flags) {
    table(request)->rename(cfuse_thread(), request, parent, name, new_parent, new_name, flags);
}

static void link_to(
    fuse_req_t request, fuse_ino_t node, fuse_ino_t new_parent, const char *new_name) {
    table(request)->link(cfuse_thread(), request, node, new_parent, new_name);
}

static int is_stateless(fuse_req_t request) {
    const struct cfuse_session *session = fuse_req_userdata(request);
    return session->stateless;
}

static void open_file(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    // The kernel remembers the answer: neither opening nor closing is asked for again.
    if (is_stateless(request)) {
        fuse_reply_err(request, ENOSYS);
        return;
    }
    table(request)->open(cfuse_thread(), request, node, file->flags);
}

static void create(
    fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *file) {
    table(request)->create(cfuse_thread(), request, parent, name, mode, file->flags);
}

static void flush(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    // The kernel has written what it had; it asks once.
    if (is_stateless(request)) {
        fuse_reply_err(request, ENOSYS);
        return;
    }
    table(request)->flush(cfuse_thread(), request, node, file->fh);
}

static void release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    // Of files made before the kernel knew that they are not opened.
    if (is_stateless(request)) {
        fuse_reply_err(request, 0);
        return;
    }
    table(request)->release(cfuse_thread(), request, node, file->fh);
}

static void open_directory(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    (void)file;
    table(request)->open_directory(cfuse_thread(), request, node);
}

static void read_directory(
    fuse_req_t request, fuse_ino_t node, size_t count, off_t offset,
    struct fuse_file_info *file) {
    table(request)->read_directory(
        cfuse_thread(), request, node, file->fh, (uint64_t)offset, count, 0);
}

static void read_directory_plus(
    fuse_req_t request, fuse_ino_t node, size_t count, off_t offset,
    struct fuse_file_info *file) {
    table(request)->read_directory(
        cfuse_thread(), request, node, file->fh, (uint64_t)offset, count, 1);
}

static void release_directory(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *file) {
    table(request)->release_directory(cfuse_thread(), request, node, file->fh);
}

static void synchronize_directory(
    fuse_req_t request, fuse_ino_t node, int data_only, struct fuse_file_info *file) {
    table(request)->synchronize_directory(
        cfuse_thread(), request, node, file->fh, data_only);
}

static void statistics(fuse_req_t request, fuse_ino_t node) {
    table(request)->statistics(cfuse_thread(), request, node);
}

static void allocate(
    fuse_req_t request, fuse_ino_t node, int flags, off_t offset, off_t count,
    struct fuse_file_info *file) {
    (void)file;
    table(request)->allocate(
        cfuse_thread(), request, node, (uint64_t)offset, (uint64_t)count, flags);
}

static int has_extended(fuse_req_t request) {
    const struct cfuse_session *session = fuse_req_userdata(request);
    if (session->settings.extended) return 1;
    fuse_reply_err(request, ENOSYS);
    return 0;
}

static void set_extended(
    fuse_req_t request, fuse_ino_t node, const char *name, const char *value, size_t count,
    int flags) {
    if (!has_extended(request)) return;
    table(request)->set_extended(cfuse_thread(), request, node, name, value, count, flags);
}

static void get_extended(fuse_req_t request, fuse_ino_t node, const char *name, size_t count) {
    if (!has_extended(request)) return;
    table(request)->get_extended(cfuse_thread(), request, node, name, count);
}

static void list_extended(fuse_req_t request, fuse_ino_t node, size_t count) {
    if (!has_extended(request)) return;
    table(request)->list_extended(cfuse_thread(), request, node, count);
}

static void remove_extended(fuse_req_t request, fuse_ino_t node, const char *name) {
    if (!has_extended(request)) return;
    table(request)->remove_extended(cfuse_thread(), request, node, name);
}

static void seek(
    fuse_req_t request, fuse_ino_t node, off_t offset, int whence, struct fuse_file_info *file) {
    (void)file;
    const struct cfuse_session *session = fuse_req_userdata(request);
    if (!session->settings.holes) {
        fuse_reply_err(request, ENOSYS);
        return;
    }
    table(request)->seek(cfuse_thread(), request, node, (uint64_t)offset, whence);
}

// Reading, writing and synchronising files do not come here: see content.c.
//
// Locks, ioctl, poll and copy_file_range are left out: the kernel gets ENOSYS once and from
// then on does it by itself.
const struct fuse_lowlevel_ops cfuse_lowlevel = {
    .init = set_up,
    .lookup = lookup,
    .forget = forget,
    .forget_multi = forget_many,
    .getattr = get_attributes,
    .setattr = set_attributes,
    .readlink = read_link,
    .mknod = make_node,
    .mkdir = make_directory,
    .unlink = unlink_name,
    .rmdir = remove_directory,
    .symlink = symlink_to,
    .rename = rename_to,
    .link = link_to,
    .open = open_file,
    .create = create,
    .flush = flush,
    .release = release,
    .opendir = open_directory,
    .readdir = read_directory,
    .readdirplus = read_directory_plus,
    .releasedir = release_directory,
    .fsyncdir = synchronize_directory,
    .statfs = statistics,
    .fallocate = allocate,
    .setxattr = set_extended,
    .getxattr = get_extended,
    .listxattr = list_extended,
    .removexattr = remove_extended,
    .lseek = seek,
};
