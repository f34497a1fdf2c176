// What the files of this module share.

#ifndef CFUSE_SESSION_H
#define CFUSE_SESSION_H

#define FUSE_USE_VERSION 314
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include <fuse3/fuse_lowlevel.h>
#include <sys/uio.h>

#include "CFuse.h"

struct cfuse_session {
    struct fuse_session *fuse;
    cfuse_operations operations;
    cfuse_settings settings;
    int stateless; // the kernel has agreed to it
};

// Whether the change of attributes being served is to clear set-user-ID and set-group-ID. libfuse does not pass it on.
int cfuse_change_drops_privilege(void);

// The calling thread's argument of cfuse_serve.
void *cfuse_thread(void);

// Answers the request that the calling thread serves by way of the device it came from. What fails is nobody's to
// know: the kernel has forgotten the request, or the mount is gone.
void cfuse_answer(struct iovec *parts, int count);

// Serves the request of `count` bytes at `bytes` where it is about a file's content, without libfuse: that
// allocates for each request, and takes a lock all threads share. Returns whether it was one.
int cfuse_serve_content(struct cfuse_session *session, const char *bytes, size_t count);

// Whether `request` is the one that cfuse_serve_content passed on.
int cfuse_is_content(const struct fuse_req *request);

// Answers it: with an error if that is not 0, otherwise with bytes. For the thread that serves it only.
void cfuse_answer_content(int error, const void *bytes, size_t count);

// Forwards every operation of libfuse's to the session's table.
extern const struct fuse_lowlevel_ops cfuse_lowlevel;

#endif
