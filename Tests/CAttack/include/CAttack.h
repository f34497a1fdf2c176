// What an attacker tries, one function an attempt. Each returns 0 where it got what it was after,
// else the errno it was refused with; ENODATA where it got in and found nothing.

#ifndef CATTACK_H
#define CATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Byte strings to look for. They are kept inverted, so that who looks for them in its own memory does
// not find what it was told to look for.
struct needles {
    struct { uint8_t inverted[128]; size_t count; } item[8];
    size_t count;
};

// Reads "HEX,HEX…", each byte inverted. Returns 0, or EINVAL.
int needles_read(const char *text, struct needles *into);

// Whether one of them occurs.
bool needles_occur(const struct needles *needles, const uint8_t *bytes, size_t count);

// What an attempt is made on.
struct attack {
    // A process; 0 for an attempt that needs none.
    pid_t target;
    // A path; NULL for an attempt that needs none.
    const char *path;
    const struct needles *needles;
};

// An attempt by its name; see attempts.c for the list. Returns as said above; ENOTSUP for no such name.
int attack_run(const char *name, const struct attack *attack);

// The same for who looks for nothing in particular.
int attack_alone(const char *name, pid_t target);

#endif
