// Reading another process's memory.

#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

// Opens a file of the target's in /proc. Returns a descriptor, or -1 with errno.
static int open_of(const struct attack *attack, const char *name, int flags) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", attack->target, name);
    return open(path, flags | O_CLOEXEC);
}

// Reads a whole file of the target's. Returns 0 where a needle is in it, or where there is anything
// in it and `anything` is enough.
static int read_of(const struct attack *attack, const char *name, bool anything) {
    const int file = open_of(attack, name, O_RDONLY);
    if (file == -1) return errno;
    static uint8_t bytes[1 << 20];
    size_t count = 0;
    int refusal = 0;
    while (count < sizeof bytes) {
        const ssize_t got = read(file, bytes + count, sizeof bytes - count);
        if (got == -1) refusal = errno;
        if (got <= 0) break;
        count += (size_t)got;
    }
    close(file);
    if (refusal != 0) return refusal;
    const bool found = anything ? count > 0 : needles_occur(attack->needles, bytes, count);
    return found ? 0 : ENODATA;
}

static int read_environment(const struct attack *attack) {
    return read_of(attack, "environ", false);
}
static int read_arguments(const struct attack *attack) { return read_of(attack, "cmdline", false); }
static int read_map(const struct attack *attack) { return read_of(attack, "maps", true); }
static int read_auxiliary(const struct attack *attack) { return read_of(attack, "auxv", true); }
static int read_stack(const struct attack *attack) { return read_of(attack, "stack", true); }
static int read_call(const struct attack *attack) { return read_of(attack, "syscall", true); }
static int read_pages(const struct attack *attack) {
    const int file = open_of(attack, "pagemap", O_RDONLY);
    if (file == -1) return errno;
    close(file);
    return 0;
}

// Calls `read` for every mapping that is not huge, until a needle was found. Returns 0, ENODATA, or
// the errno of the first read when none succeeded.
static int scan(const struct attack *attack, ssize_t (*read_at)(void *, uint64_t, uint8_t *, size_t),
                void *context) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", attack->target);
    FILE *maps = fopen(path, "re");
    uint8_t first;
    if (maps == NULL) {
        // Where executables lie without a map; what comes back tells whether it was permitted.
        return read_at(context, 0x400000, &first, 1) == -1 ? errno : ENODATA;
    }
    int result = ENODATA;
    bool any = false;
    char line[512];
    while (result != 0 && fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        char access[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, access) != 3 || access[0] != 'r') continue;
        if (end - start > 64 << 20 || (start >> 63) != 0) continue;
        uint8_t *bytes = malloc(end - start);
        if (bytes == NULL) continue;
        const ssize_t count = read_at(context, start, bytes, end - start);
        if (count > 0) any = true;
        if (count == -1 && !any && errno != EIO && errno != EFAULT) result = errno;
        if (count > 0 && needles_occur(attack->needles, bytes, (size_t)count)) result = 0;
        memset(bytes, 0, end - start);
        free(bytes);
    }
    fclose(maps);
    return result;
}

static ssize_t read_file_at(void *context, uint64_t address, uint8_t *into, size_t count) {
    return pread(*(int *)context, into, count, (off_t)address);
}

static int read_memory_file(const struct attack *attack) {
    int file = open_of(attack, "mem", O_RDONLY);
    if (file == -1) return errno;
    const int result = scan(attack, read_file_at, &file);
    close(file);
    return result;
}

static int write_memory_file(const struct attack *attack) {
    const int file = open_of(attack, "mem", O_WRONLY);
    if (file == -1) return errno;
    close(file);
    return 0;
}

static ssize_t read_process_at(void *context, uint64_t address, uint8_t *into, size_t count) {
    struct iovec ours = {into, count};
    struct iovec theirs = {(void *)address, count};
    return process_vm_readv(*(pid_t *)context, &ours, 1, &theirs, 1, 0);
}

static int read_process(const struct attack *attack) {
    pid_t target = attack->target;
    return scan(attack, read_process_at, &target);
}

const struct attempt attempts_on_memory[] = {
    {"environ", read_environment},
    {"cmdline", read_arguments},
    {"maps", read_map},
    {"auxv", read_auxiliary},
    {"stack", read_stack},
    {"syscall", read_call},
    {"pagemap", read_pages},
    {"mem", read_memory_file},
    {"mem-write", write_memory_file},
    {"process_vm_readv", read_process},
    {NULL, NULL},
};
