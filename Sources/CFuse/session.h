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
    int stateless; // the kernel has agreed to it
};

// Whether the write being served is to clear set-user-ID and set-group-ID. libfuse does not pass it on.
int cfuse_write_drops_privilege(void);

// Whether the change of attributes being served is to do so.
int cfuse_change_drops_privilege(void);

// The calling thread's argument of cfuse_serve.
void *cfuse_thread(void);

// Forwards every operation of libfuse's to the session's table.
extern const struct fuse_lowlevel_ops cfuse_lowlevel;

#endif
