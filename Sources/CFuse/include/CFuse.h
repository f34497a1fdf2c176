// What Swift reaches of libfuse 3's low-level interface.
//
// libfuse's own headers stay inside this module: they insist on _FILE_OFFSET_BITS, which changes
// the layout of what Swift's Glibc module declares. Everything here is of fixed size and opaque.

#ifndef CFUSE_H
#define CFUSE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A request of the kernel's; answered exactly once.
struct fuse_req;

// A connection to the kernel, for one mount.
struct cfuse_session;

typedef struct {
    uint64_t number;
    uint64_t size;
    uint64_t blocks; // of 512 bytes
    int64_t accessed_seconds;
    int64_t modified_seconds;
    int64_t changed_seconds;
    uint32_t accessed_nanoseconds;
    uint32_t modified_nanoseconds;
    uint32_t changed_nanoseconds;
    uint32_t mode;
    uint32_t links;
    uint32_t user;
    uint32_t group;
    uint32_t device;
    uint32_t block_size;
} cfuse_attributes;

typedef struct {
    uint64_t node;    // 0 says that there is no such name
    double validity;  // seconds, of name and attributes
    cfuse_attributes attributes;
} cfuse_entry;

typedef struct {
    uint64_t blocks;
    uint64_t free_blocks;
    uint64_t available_blocks;
    uint64_t files;
    uint64_t free_files;
    uint32_t block_size;
    uint32_t fragment_size;
    uint32_t name_limit;
} cfuse_statistics;

// What of a node a SETATTR changes.
enum {
    CFUSE_SET_MODE = 1 << 0,
    CFUSE_SET_USER = 1 << 1,
    CFUSE_SET_GROUP = 1 << 2,
    CFUSE_SET_SIZE = 1 << 3,
    CFUSE_SET_ACCESSED = 1 << 4,
    CFUSE_SET_MODIFIED = 1 << 5,
    CFUSE_SET_ACCESSED_NOW = 1 << 7,
    CFUSE_SET_MODIFIED_NOW = 1 << 8,
    CFUSE_SET_CHANGED = 1 << 10,        // not to be set: what the kernel takes it to be
    CFUSE_SET_DROP_PRIVILEGE = 1 << 11, // set-user-ID and set-group-ID go with it
    CFUSE_SET_BY_HANDLE = 1 << 30,      // on an open file, not a path
};

// What an open file's pages in the kernel may do; for cfuse_reply_open and cfuse_reply_create.
enum {
    CFUSE_KEEP_PAGES = 1 << 0,    // pages of earlier opens are still right
    CFUSE_CACHE_LISTING = 1 << 1, // the kernel may keep a directory's listing
};

// The operations there are; what is not here the kernel answers by itself, or with ENOSYS.
// `thread` is what the serving thread passed to cfuse_serve. Names end in NUL.
typedef struct {
    void (*ready)(void *thread);
    void (*lookup)(void *thread, struct fuse_req *, uint64_t parent, const char *name);
    void (*forget)(void *thread, uint64_t node, uint64_t count);
    void (*get_attributes)(void *thread, struct fuse_req *, uint64_t node);
    void (*set_attributes)(
        void *thread, struct fuse_req *, uint64_t node, const cfuse_attributes *, uint32_t which);
    void (*read_link)(void *thread, struct fuse_req *, uint64_t node);
    void (*make_node)(
        void *thread, struct fuse_req *, uint64_t parent, const char *name, uint32_t mode,
        uint64_t device);
    void (*make_directory)(
        void *thread, struct fuse_req *, uint64_t parent, const char *name, uint32_t mode);
    void (*unlink)(void *thread, struct fuse_req *, uint64_t parent, const char *name);
    void (*remove_directory)(void *thread, struct fuse_req *, uint64_t parent, const char *name);
    void (*symlink)(
        void *thread, struct fuse_req *, const char *target, uint64_t parent, const char *name);
    void (*rename)(
        void *thread, struct fuse_req *, uint64_t parent, const char *name, uint64_t new_parent,
        const char *new_name, uint32_t flags);
    void (*link)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t new_parent,
        const char *new_name);
    void (*open)(void *thread, struct fuse_req *, uint64_t node, int32_t flags);
    void (*create)(
        void *thread, struct fuse_req *, uint64_t parent, const char *name, uint32_t mode,
        int32_t flags);
    void (*read)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t handle, uint64_t offset,
        size_t count);
    void (*write)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t handle, uint64_t offset,
        const void *bytes, size_t count, int32_t drop_privilege);
    void (*flush)(void *thread, struct fuse_req *, uint64_t node, uint64_t handle);
    void (*release)(void *thread, struct fuse_req *, uint64_t node, uint64_t handle);
    void (*synchronize)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t handle, int32_t data_only);
    void (*open_directory)(void *thread, struct fuse_req *, uint64_t node);
    void (*read_directory)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t handle, uint64_t offset,
        size_t count, int32_t with_attributes);
    void (*release_directory)(void *thread, struct fuse_req *, uint64_t node, uint64_t handle);
    void (*synchronize_directory)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t handle, int32_t data_only);
    void (*statistics)(void *thread, struct fuse_req *, uint64_t node);
    // `flags` as of fallocate(2).
    void (*allocate)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t offset, uint64_t count,
        int32_t flags);
    // `flags` as of setxattr(2).
    void (*set_extended)(
        void *thread, struct fuse_req *, uint64_t node, const char *name, const void *value,
        size_t count, int32_t flags);
    // `count` is the room the asker has; 0 asks for the length.
    void (*get_extended)(
        void *thread, struct fuse_req *, uint64_t node, const char *name, size_t count);
    void (*list_extended)(void *thread, struct fuse_req *, uint64_t node, size_t count);
    void (*remove_extended)(
        void *thread, struct fuse_req *, uint64_t node, const char *name);
    // `whence` is SEEK_DATA or SEEK_HOLE.
    void (*seek)(
        void *thread, struct fuse_req *, uint64_t node, uint64_t offset, int32_t whence);
} cfuse_operations;

typedef struct {
    uint32_t request_limit;    // bytes of a write; no request is longer
    uint32_t read_limit;       // bytes of a read
    uint32_t background_limit; // requests the kernel may send without somebody waiting
    int exclusive;             // nobody else changes what is served: the kernel may cache it
    int stateless;             // opening and closing files means nothing, the kernel need not tell
    int extended;              // there are extended attributes and access control lists
    int holes;                 // holes can be told; otherwise all is data to the kernel
} cfuse_settings;

// The memory one serving thread's cfuse_serve needs for requests of `request_limit` bytes.
size_t cfuse_request_capacity(uint32_t request_limit);

// Makes a session; NULL when there is no memory. The table is copied; the device stays the
// caller's.
struct cfuse_session *cfuse_session_new(
    const cfuse_operations *operations, const cfuse_settings *settings);
void cfuse_session_free(struct cfuse_session *session);

// Another descriptor of `device`'s connection, so that threads do not contend for one (ioctl
// FUSE_DEV_IOC_CLONE); -1 and errno where the kernel gives none.
int cfuse_clone_device(int device);

// Looks for a request for so long at most, without sleeping and without receiving it; lets others on this
// processor go first. Returns 1 when there is something to receive, 0 when there is not.
int cfuse_look(int device, int64_t nanoseconds);

// Whether who asked the calling thread last is likely to ask again at once: it was answered within so long, or wanted
// something synchronised, after which programs go on writing.
int cfuse_asks_again_soon(int64_t nanoseconds);

// Receives one request from `device`, dispatches it, and returns when it was answered.
// `buffer` is aligned to 8 bytes. Returns the request's length; 0 when the mount is gone; a negative
// errno otherwise: -EPERM before the device is mounted, -EINTR after a signal.
ssize_t cfuse_serve(
    struct cfuse_session *session, int device, void *thread, void *buffer, size_t capacity);

// Lets the calling thread, which serves nothing, answer requests that `device` brought and speak to the
// kernel through it; until it is called with -1.
void cfuse_speak_through(int device);

// Has the kernel write what it collected of a file's content from `offset` on, and forget it. Others have to be
// serving meanwhile. Waits for what is on its way already from Linux 6.16 on only.
void cfuse_collect(struct cfuse_session *session, uint64_t node, uint64_t offset);

// Who asks.
uint32_t cfuse_request_user(struct fuse_req *request);
uint32_t cfuse_request_group(struct fuse_req *request);
uint32_t cfuse_request_mask(struct fuse_req *request); // the asker's umask

// The answers; each uses the request up. Nothing that fails here can be helped: the kernel has
// forgotten the request, or the mount is gone.
void cfuse_reply_error(struct fuse_req *request, int code);
void cfuse_reply_nothing(struct fuse_req *request);
// Return 0, or a negative errno when the kernel did not take the entry or handle.
int cfuse_reply_entry(struct fuse_req *request, const cfuse_entry *entry);
int cfuse_reply_create(
    struct fuse_req *request, const cfuse_entry *entry, uint64_t handle, uint32_t pages);
int cfuse_reply_open(struct fuse_req *request, uint64_t handle, uint32_t pages);
void cfuse_reply_attributes(
    struct fuse_req *request, const cfuse_attributes *attributes, double validity);
void cfuse_reply_link(struct fuse_req *request, const char *target);
void cfuse_reply_data(struct fuse_req *request, const void *bytes, size_t count);
void cfuse_reply_written(struct fuse_req *request, size_t count);
void cfuse_reply_length(struct fuse_req *request, size_t count);
void cfuse_reply_position(struct fuse_req *request, uint64_t offset);
void cfuse_reply_statistics(struct fuse_req *request, const cfuse_statistics *statistics);

// Appends one name to a listing. Returns how many bytes it takes; more than `left` says that it
// did not fit and was not written.
size_t cfuse_append_name(
    struct fuse_req *request, void *buffer, size_t left, const char *name, uint64_t number,
    uint32_t mode, uint64_t next);
size_t cfuse_append_entry(
    struct fuse_req *request, void *buffer, size_t left, const char *name,
    const cfuse_entry *entry, uint64_t next);

#endif
