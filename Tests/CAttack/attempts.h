// The attempts, by what they are made on.

#ifndef CATTACK_ATTEMPTS_H
#define CATTACK_ATTEMPTS_H

#include "CAttack.h"

struct attempt {
    const char *name;
    int (*run)(const struct attack *);
};

// Each ends with an entry without a name.
extern const struct attempt attempts_on_memory[];
extern const struct attempt attempts_on_processes[];
extern const struct attempt attempts_on_mounts[];
extern const struct attempt attempts_on_kernel[];
extern const struct attempt attempts_on_ourselves[];

// errno where a call gave -1, else 0.
#define REFUSAL(call) ((call) == -1 ? errno : 0)

#endif
