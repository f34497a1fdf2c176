// recording-filesystem BACKING MOUNT LOG FAULTS: serves a directory under another, writes down what is changed and what
// is synchronised in which order, and fails where it is told to. Serves one request at a time, caches nothing, ends when
// it is unmounted. For tests.

#define FUSE_USE_VERSION 314

#include <fuse3/fuse.h>
#include <stdio.h>
#include <sys/stat.h>

#include "recording.h"

const char *recording_backing;

int main(int count, char **arguments) {
    if (count != 5) {
        fprintf(stderr, "usage: %s BACKING MOUNT LOG FAULTS\n", arguments[0]);
        return 64;
    }
    recording_backing = arguments[1];
    if (recording_start(arguments[3], arguments[4]) != 0) {
        perror(arguments[3]);
        return 74;
    }
    // Modes are what who asks wants: the mask is taken off already.
    umask(0);
    char *options[] = {arguments[0], "-f", "-s", "-o", "suid,dev", arguments[2], NULL};
    return fuse_main(6, options, &recording_operations, NULL);
}
