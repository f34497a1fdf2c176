// A file's content: what reads, writes and synchronises it is most of what a mount is asked, and comes in requests
// of a fixed form (Linux, include/uapi/linux/fuse.h).

#include "session.h"

#include <errno.h>
#include <string.h>

// <linux/fuse.h> is not everywhere.
enum {
    READ = 15,
    WRITE = 16,
    FSYNC = 20,
    INTERRUPT = 36,
    FSYNC_DATA_ONLY = 1 << 0,
    WRITE_KILL_SUIDGID = 1 << 2,
};

struct in_header {
    uint32_t length;
    uint32_t operation;
    uint64_t unique;
    uint64_t node;
    uint32_t user, group, process;
    uint16_t extension_length, padding;
};

// struct fuse_read_in and fuse_write_in alike.
struct content_in {
    uint64_t handle;
    uint64_t offset;
    uint32_t count;
    uint32_t flags;
    uint64_t lock_owner;
    uint32_t open_flags, padding;
};

struct fsync_in {
    uint64_t handle;
    uint32_t flags, padding;
};

struct out_header {
    uint32_t length;
    int32_t error;
    uint64_t unique;
};

// What stands for the request of each thread; only its address is looked at by others.
static __thread struct {
    uint64_t unique;
} served;

int cfuse_is_content(const struct fuse_req *request) { return (const void *)request == &served; }

void cfuse_answer_content(int error, const void *bytes, size_t count) {
    struct out_header header = {
        .length = (uint32_t)(sizeof header + count), .error = -error, .unique = served.unique};
    struct iovec parts[] = {
        {.iov_base = &header, .iov_len = sizeof header},
        {.iov_base = (void *)bytes, .iov_len = count},
    };
    cfuse_answer(parts, count == 0 ? 1 : 2);
}

int cfuse_serve_content(struct cfuse_session *session, const char *bytes, size_t count) {
    struct in_header header;
    struct content_in content;
    struct fsync_in fsync;
    const cfuse_operations *operations = &session->operations;
    if (count < sizeof header) return 0;
    memcpy(&header, bytes, sizeof header);
    const char *arguments = bytes + sizeof header;
    const size_t left = count - sizeof header;
    served.unique = header.unique;
    struct fuse_req *request = (struct fuse_req *)&served;

    switch (header.operation) {
    case READ:
    case WRITE:
        if (left < sizeof content) break;
        memcpy(&content, arguments, sizeof content);
        if (header.operation == READ) {
            operations->read(
                cfuse_thread(), request, header.node, content.handle, content.offset,
                content.count);
            return 1;
        }
        if (left - sizeof content < content.count) break;
        operations->write(
            cfuse_thread(), request, header.node, content.handle, content.offset,
            arguments + sizeof content, content.count,
            (content.flags & WRITE_KILL_SUIDGID) != 0);
        return 1;
    case FSYNC:
        if (left < sizeof fsync) break;
        memcpy(&fsync, arguments, sizeof fsync);
        operations->synchronize(
            cfuse_thread(), request, header.node, fsync.handle,
            (fsync.flags & FSYNC_DATA_ONLY) != 0);
        return 1;
    case INTERRUPT:
        // Nothing that is served here can be: the kernel need not ask. Where it looks for the request among
        // those of another descriptor it does not take this in, and asks the next time as well.
        cfuse_answer_content(ENOSYS, NULL, 0);
        return 1;
    default:
        return 0;
    }
    // Shorter than what it says it is.
    cfuse_answer_content(EIO, NULL, 0);
    return 1;
}
