// What the files of this module share.

#ifndef CFUSE_SESSION_H
#define CFUSE_SESSION_H

#define FUSE_USE_VERSION 314
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif

#include <fuse3/fuse_lowlevel.h>

#include "CFuse.h"

struct cfuse_session {
    struct fuse_session *fuse;
    cfuse_operations operations;
    cfuse_settings settings;
};

// The calling thread's argument of cfuse_serve.
void *cfuse_thread(void);

// Forwards every operation of libfuse's to the session's table.
extern const struct fuse_lowlevel_ops cfuse_lowlevel;

#endif
