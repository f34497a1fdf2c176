// parallel DIRECTORY WORK THREADS MEBIBYTES OPERATIONS: what so many threads do together, each with a file of its own.
//
// WORK is write, read, rand_write or rand_read. All threads together write or read MEBIBYTES in pieces of 1 MiB, or do
// OPERATIONS of 4 KiB at random offsets; writing ends with fsync(2). `write` makes the files that the others use.
// Prints MiB or operations a second, from the first thread's start to the last one's end.

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 20, BLOCK = 4096 };

static struct {
    const char *directory;
    bool writes, random;
    long pieces, operations;  // of one thread
} work;

static pthread_barrier_t start;

static void must(bool good, const char *what) {
    if (good) return;
    perror(what);
    exit(1);
}

// The next of a sequence that is the same in every run (xorshift64).
static unsigned long next(unsigned long *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void *thread(void *number) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%ld", work.directory, (long)number);
    bool creates = work.writes && !work.random;
    int file = open(path, creates ? O_CREAT | O_TRUNC | O_WRONLY : work.writes ? O_WRONLY : O_RDONLY, 0600);
    must(file >= 0, path);
    if (work.random && !work.writes) posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    size_t length = work.random ? BLOCK : PIECE;
    char *buffer = malloc(length);
    unsigned long state = (unsigned long)number + 1;
    for (size_t i = 0; i < length; i++) buffer[i] = (char)next(&state);

    pthread_barrier_wait(&start);
    long count = work.random ? work.operations : work.pieces;
    for (long i = 0; i < count; i++) {
        off_t offset = work.random ? (off_t)(next(&state) % (unsigned long)(work.pieces * (PIECE / BLOCK))) * BLOCK
                                   : i * (off_t)PIECE;
        ssize_t done = work.writes ? pwrite(file, buffer, length, offset) : pread(file, buffer, length, offset);
        must(done == (ssize_t)length, path);
    }
    if (work.writes) must(fsync(file) == 0, path);
    must(close(file) == 0, path);
    free(buffer);
    return NULL;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fputs("usage: parallel DIRECTORY WORK THREADS MEBIBYTES OPERATIONS\n", stderr);
        return 64;
    }
    long threads = atol(argv[3]);
    work.directory = argv[1];
    work.writes = strstr(argv[2], "write") != NULL;
    work.random = strncmp(argv[2], "rand_", 5) == 0;
    work.pieces = atol(argv[4]) / threads;
    work.operations = atol(argv[5]) / threads;

    pthread_t all[threads];
    pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
    for (long i = 0; i < threads; i++) must(pthread_create(&all[i], NULL, thread, (void *)i) == 0, "pthread_create");
    pthread_barrier_wait(&start);
    double began = now();
    for (long i = 0; i < threads; i++) pthread_join(all[i], NULL);
    double done = (double)(work.random ? work.operations : work.pieces) * (double)threads;
    printf("%.1f\n", done / (now() - began));
    return 0;
}
