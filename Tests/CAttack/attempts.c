#include "attempts.h"

#include <errno.h>
#include <string.h>

int attack_run(const char *name, const struct attack *attack) {
    const struct attempt *const lists[] = {
        attempts_on_memory, attempts_on_processes, attempts_on_mounts, attempts_on_kernel,
        attempts_on_ourselves,
    };
    for (size_t list = 0; list < sizeof lists / sizeof *lists; list++)
        for (const struct attempt *entry = lists[list]; entry->name != NULL; entry++)
            if (strcmp(entry->name, name) == 0) return entry->run(attack);
    return ENOTSUP;
}

int attack_alone(const char *name, pid_t target) {
    const struct needles needles = {.count = 0};
    const struct attack attack = {.target = target, .path = "/mnt", .needles = &needles};
    return attack_run(name, &attack);
}
