#include "session.h"

#include <sys/statvfs.h>

static struct stat status_of(const cfuse_attributes *attributes) {
    return (struct stat){
        .st_ino = attributes->number,
        .st_size = (off_t)attributes->size,
        .st_blocks = (blkcnt_t)attributes->blocks,
        .st_atim = {attributes->accessed_seconds, attributes->accessed_nanoseconds},
        .st_mtim = {attributes->modified_seconds, attributes->modified_nanoseconds},
        .st_ctim = {attributes->changed_seconds, attributes->changed_nanoseconds},
        .st_mode = attributes->mode,
        .st_nlink = attributes->links,
        .st_uid = attributes->user,
        .st_gid = attributes->group,
        .st_rdev = attributes->device,
        .st_blksize = attributes->block_size,
    };
}

static struct fuse_entry_param parameter_of(const cfuse_entry *entry) {
    return (struct fuse_entry_param){
        .ino = entry->node,
        .attr = status_of(&entry->attributes),
        .attr_timeout = entry->validity,
        .entry_timeout = entry->validity,
    };
}

static struct fuse_file_info file_of(uint64_t handle, uint32_t pages) {
    return (struct fuse_file_info){
        .fh = handle,
        .keep_cache = (pages & (CFUSE_KEEP_PAGES | CFUSE_CACHE_LISTING)) != 0,
        .cache_readdir = (pages & CFUSE_CACHE_LISTING) != 0,
    };
}

void cfuse_reply_error(struct fuse_req *request, int code) {
    if (cfuse_is_content(request))
        cfuse_answer_content(code, NULL, 0);
    else
        fuse_reply_err(request, code);
}

void cfuse_reply_nothing(struct fuse_req *request) { cfuse_reply_error(request, 0); }

int cfuse_reply_entry(struct fuse_req *request, const cfuse_entry *entry) {
    const struct fuse_entry_param parameter = parameter_of(entry);
    return fuse_reply_entry(request, &parameter);
}

int cfuse_reply_create(
    struct fuse_req *request, const cfuse_entry *entry, uint64_t handle, uint32_t pages) {
    const struct fuse_entry_param parameter = parameter_of(entry);
    const struct fuse_file_info file = file_of(handle, pages);
    return fuse_reply_create(request, &parameter, &file);
}

int cfuse_reply_open(struct fuse_req *request, uint64_t handle, uint32_t pages) {
    const struct fuse_file_info file = file_of(handle, pages);
    return fuse_reply_open(request, &file);
}

void cfuse_reply_attributes(
    struct fuse_req *request, const cfuse_attributes *attributes, double validity) {
    const struct stat status = status_of(attributes);
    fuse_reply_attr(request, &status, validity);
}

void cfuse_reply_link(struct fuse_req *request, const char *target) {
    fuse_reply_readlink(request, target);
}

void cfuse_reply_data(struct fuse_req *request, const void *bytes, size_t count) {
    if (cfuse_is_content(request))
        cfuse_answer_content(0, bytes, count);
    else
        fuse_reply_buf(request, bytes, count);
}

void cfuse_reply_written(struct fuse_req *request, size_t count) {
    (void)request; // always one of content.c's
    const uint32_t written[] = {(uint32_t)count, 0}; // struct fuse_write_out
    cfuse_answer_content(0, written, sizeof written);
}

void cfuse_reply_length(struct fuse_req *request, size_t count) {
    fuse_reply_xattr(request, count);
}

void cfuse_reply_position(struct fuse_req *request, uint64_t offset) {
    fuse_reply_lseek(request, (off_t)offset);
}

void cfuse_reply_statistics(struct fuse_req *request, const cfuse_statistics *statistics) {
    const struct statvfs status = {
        .f_bsize = statistics->block_size,
        .f_frsize = statistics->fragment_size,
        .f_blocks = statistics->blocks,
        .f_bfree = statistics->free_blocks,
        .f_bavail = statistics->available_blocks,
        .f_files = statistics->files,
        .f_ffree = statistics->free_files,
        .f_favail = statistics->free_files,
        .f_namemax = statistics->name_limit,
    };
    fuse_reply_statfs(request, &status);
}

size_t cfuse_append_name(
    struct fuse_req *request, void *buffer, size_t left, const char *name, uint64_t number,
    uint32_t mode, uint64_t next) {
    const struct stat status = {.st_ino = number, .st_mode = mode};
    return fuse_add_direntry(request, buffer, left, name, &status, (off_t)next);
}

size_t cfuse_append_entry(
    struct fuse_req *request, void *buffer, size_t left, const char *name,
    const cfuse_entry *entry, uint64_t next) {
    const struct fuse_entry_param parameter = parameter_of(entry);
    return fuse_add_direntry_plus(request, buffer, left, name, &parameter, (off_t)next);
}
