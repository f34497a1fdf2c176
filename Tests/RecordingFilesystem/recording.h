// What the files of this program share.

#ifndef RECORDING_H
#define RECORDING_H

#include <stddef.h>
#include <stdint.h>

// What was done. `StorageOperation.swift` reads the same letters.
enum operation {
    OP_CREATE = 'c',
    OP_MKDIR = 'd',
    OP_SYMLINK = 'l',
    OP_LINK = 'h',
    OP_RENAME = 'r',
    OP_UNLINK = 'u',
    OP_RMDIR = 'x',
    OP_WRITE = 'w',
    OP_TRUNCATE = 't',
    OP_PUNCH = 'p',
    OP_FSYNC = 's',
    OP_READ = 'R',  // never recorded, can be made to fail
    OP_OPEN = 'W',  // for writing; never recorded either
    OP_OTHER = 'o', // attributes, permissions, times, room: recorded as nothing
};

// Opens the log and the file that says what is to fail.
int recording_start(const char *log, const char *faults);

// What an operation is to fail with, as a negative errno; 0 for nothing.
int recording_fault(enum operation operation);

// How many bytes of a write of `count` arrive before it fails.
size_t recording_torn(size_t count);

// Appends to the log: a line `letter number first second length name\n` and `length` bytes of data. A name that
// is followed by another has it after a slash, for names are paths from the top and hold no double slash:
// `/from//to`.
void recording_append(enum operation operation, uint64_t number, uint64_t first, uint64_t second,
                      const char *name, const char *other, const void *data, size_t length);

extern const struct fuse_operations recording_operations;

// The directory that is served, as a path without a slash at its end.
extern const char *recording_backing;

#endif
