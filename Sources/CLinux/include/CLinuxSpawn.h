// Starting a process: all that happens between fork and exec, described by one structure.
//
// The child of a fork may call nothing but what is safe in a signal handler, and no Swift at all;
// so the parent prepares everything here, and the child only makes system calls.

#ifndef CLINUX_SPAWN_H
#define CLINUX_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The child's descriptor `target` becomes the parent's `source`.
struct linux_descriptor_mapping {
    int source;
    int target;
};

enum linux_spawn_grouping {
    LINUX_SPAWN_INHERIT = 0,
    LINUX_SPAWN_PROCESS_GROUP = 1,
    LINUX_SPAWN_SESSION = 2,
};

// What the child was doing when a call failed.
enum linux_spawn_stage {
    LINUX_SPAWN_STAGE_GROUPING = 1,
    LINUX_SPAWN_STAGE_TERMINAL = 2,
    LINUX_SPAWN_STAGE_DESCRIPTORS = 3,
    LINUX_SPAWN_STAGE_LIMITS = 4,
    LINUX_SPAWN_STAGE_DIRECTORY = 5,
    LINUX_SPAWN_STAGE_BOUNDING = 6,
    LINUX_SPAWN_STAGE_IDENTITY = 7,
    LINUX_SPAWN_STAGE_CAPABILITIES = 8,
    LINUX_SPAWN_STAGE_NO_NEW_PRIVILEGES = 9,
    LINUX_SPAWN_STAGE_PARENT_DEATH = 10,
    LINUX_SPAWN_STAGE_SIGNALS = 11,
    LINUX_SPAWN_STAGE_EXEC = 12,
};

// One record on the failure pipe; a pipe that ends without one means exec succeeded.
struct linux_spawn_failure {
    int32_t stage;
    int32_t code;
};

struct linux_spawn {
    // Paths to try in turn, as execvp would; ends with NULL.
    char *const *candidates;
    char *const *argv;
    // "/bin/sh", a free slot, the arguments from the second on, NULL: for a script without "#!".
    // NULL: such a file is refused.
    char **shell_argv;
    // The child's copy is changed where it names the parent as the one that something was handed to.
    char **envp;

    const struct linux_descriptor_mapping *mappings;
    size_t mapping_count;
    // Close everything above 2 that is no target, and put /dev/null on 0 and 1.
    bool isolate_descriptors;

    enum linux_spawn_grouping grouping;
    // The terminal whose foreground process group the child's shall be, or -1.
    int terminal;

    // Bit n-1 stands for signal n, as in the kernel.
    uint64_t signal_mask;
    uint64_t ignored_signals;

    bool change_identity;
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t group_count;

    // Bit n stands for capability n. What is in no set is dropped.
    bool limit_capabilities;
    uint64_t bounding;
    uint64_t permitted;
    uint64_t inheritable;
    uint64_t ambient;

    bool no_new_privileges;
    // Nobody may look into the process from its exec on, not only from when it says so itself.
    // Takes effect with no_new_privileges, and where the group may be changed.
    bool hide;

    bool set_core_limit;
    uint64_t core_soft;
    uint64_t core_hard;

    // NULL: stay; -1: leave the mask alone.
    const char *directory;
    int file_mode_mask;

    // 0: none.
    int parent_death_signal;

    // Closed on exec; receives a linux_spawn_failure.
    int failure_descriptor;
};

// Forks and executes. Returns the child's pid, or -1 with errno when fork itself failed.
pid_t linux_spawn(const struct linux_spawn *request);

#endif
