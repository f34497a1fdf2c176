// load PORT AUTHORITY DEVICES sustained CONNECTIONS SECONDS
// load PORT AUTHORITY DEVICES storm COUNT MILLISECONDS
//
// Devices that ask a key server on this machine for their key, each time over a new connection. DEVICES is a directory
// with a directory for each, as `secure-store device add --csv` leaves it; AUTHORITY signs the server's certificate.
//
// sustained: so many connections at any time, the devices in turn. storm: so many unlocks, the devices in turn, each
// starting anywhere within so many milliseconds, and after a failure again as secure-init does: exponential backoff with full jitter.
// Prints a line of JSON: how many unlocks and failures, seconds, and milliseconds at quantiles, each from the first
// connect to the last byte of the answer; in a storm from the device's start, whatever it took.

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt.h"

enum { PROCESSES = 2, MOST_UNLOCKS = 1 << 20 };

// What the processes have done; shared between them.
struct tally {
    long unlocks, failures;
    double last;  // when the last unlock came
    float milliseconds[MOST_UNLOCKS];
};

// A device's or a connection's place: at work, or waiting for its time.
struct slot {
    struct attempt attempt;
    double due, began;  // of the first attempt
    int failures;
    bool busy, done;
};

static int port;
static SSL_CTX *context;
static struct device *devices;
static long device_count;

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static FILE *opened(const char *directory, const char *name, const char *file) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/%s", directory, name, file);
    FILE *stream = fopen(path, "r");
    if (stream == NULL) give_up(path);
    return stream;
}

static void read_devices(const char *directory) {
    DIR *names = opendir(directory);
    if (names == NULL) give_up(directory);
    for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        if (device_count % 1024 == 0) devices = realloc(devices, (size_t)(device_count + 1024) * sizeof *devices);
        FILE *certificate = opened(directory, entry->d_name, "cert.pem"), *key = opened(directory, entry->d_name, "key.pem");
        devices[device_count] = (struct device){
            .certificate = PEM_read_X509(certificate, NULL, NULL, NULL),
            .key = PEM_read_PrivateKey(key, NULL, NULL, NULL)};
        if (devices[device_count].certificate == NULL || devices[device_count].key == NULL) give_up(entry->d_name);
        device_count++;
        fclose(certificate);
        fclose(key);
    }
    closedir(names);
}

static void prepare(const char *authority) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    // The original's certificate stands for itself.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    if (SSL_CTX_load_verify_locations(context, authority, NULL) != 1) give_up(authority);
}

static void begin(struct slot *slot, long number, int poller, double time) {
    if (slot->began == 0) slot->began = time;
    slot->busy = attempt_begin(&slot->attempt, context, &devices[number % device_count], port);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = slot};
    if (!slot->busy || epoll_ctl(poller, EPOLL_CTL_ADD, slot->attempt.socket, &event) != 0) give_up("no connection");
}

// Notes how an attempt ended and when the slot begins again: at once, or, in a storm, never or after a while.
static void finish(struct slot *slot, bool unlocked, bool storm, struct tally *tally) {
    double time = now();
    attempt_end(&slot->attempt);
    slot->busy = false;
    slot->due = time;
    if (unlocked) {
        if (tally->unlocks < MOST_UNLOCKS) tally->milliseconds[tally->unlocks++] = (float)((time - slot->began) * 1000);
        tally->last = time;
        slot->began = 0;
        slot->done = storm;
    } else {
        tally->failures++;
        if (!storm) slot->began = 0;
        double bound = fmin(pow(2, slot->failures++), 30);
        slot->due += storm ? 0.1 + drand48() * (bound - 0.1) : 0.01;
    }
}

// One process: `count` slots, whose devices are every PROCESSES-th from `first` on.
static void run(struct tally *tally, long first, long count, bool storm, double within, double end) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct slot *slots = calloc((size_t)count, sizeof *slots);
    srand48(first + 1);
    double time = now();
    long left = count, next = first;
    for (long i = 0; i < count; i++) slots[i].due = time + drand48() * within;
    // On a busy machine until there is something to report.
    while (storm ? left > 0 : time < end || tally->unlocks + tally->failures == 0) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 1);
        for (int i = 0; i < ready; i++) {
            struct slot *slot = events[i].data.ptr;
            if (!slot->busy) continue;
            enum outcome outcome = attempt_advance(&slot->attempt);
            if (outcome == PENDING) continue;
            finish(slot, outcome == UNLOCKED, storm, tally);
            left -= slot->done;
        }
        time = now();
        for (long i = 0; i < count; i++) {
            struct slot *slot = &slots[i];
            if (slot->done) continue;
            if (slot->busy && attempt_is_overdue(&slot->attempt, time)) finish(slot, false, storm, tally);
            if (slot->busy || slot->due > time) continue;
            begin(slot, storm ? first + i * PROCESSES : next, poller, time);
            next += PROCESSES;
        }
    }
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void report(struct tally *tallies, double began, double seconds) {
    struct tally *all = tallies;
    for (int i = 1; i < PROCESSES; i++) {
        long room = MOST_UNLOCKS - all->unlocks, more = tallies[i].unlocks < room ? tallies[i].unlocks : room;
        memcpy(all->milliseconds + all->unlocks, tallies[i].milliseconds, (size_t)more * sizeof(float));
        all->unlocks += more;
        all->failures += tallies[i].failures;
        all->last = fmax(all->last, tallies[i].last);
    }
    qsort(all->milliseconds, (size_t)all->unlocks, sizeof(float), by_size);
    seconds = fmax(seconds, all->last - began);
    printf("{\"unlocks\": %ld, \"failures\": %ld, \"seconds\": %.3f", all->unlocks, all->failures, seconds);
    const double quantiles[] = {0.5, 0.99, 1};
    for (int i = 0; i < 3 && all->unlocks > 0; i++) {
        long at = (long)ceil(quantiles[i] * (double)all->unlocks) - 1;
        printf(", \"%g\": %.2f", quantiles[i], (double)all->milliseconds[at < 0 ? 0 : at]);
    }
    puts("}");
}

int main(int argc, char **argv) {
    bool storm = argc == 7 && strcmp(argv[4], "storm") == 0;
    if (!storm && !(argc == 7 && strcmp(argv[4], "sustained") == 0)) {
        fputs("usage: load PORT AUTHORITY DEVICES sustained CONNECTIONS SECONDS | storm COUNT MILLISECONDS\n", stderr);
        return 64;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    port = atoi(argv[1]);
    prepare(argv[2]);
    read_devices(argv[3]);
    if (device_count == 0) give_up("no device");
    long slots = atol(argv[5]);
    double seconds = storm ? 0 : atof(argv[6]);

    struct tally *tallies = mmap(NULL, PROCESSES * sizeof *tallies, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED) give_up("memory");
    double began = now();
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        if (child < 0) give_up("fork");
        if (child > 0) continue;
        run(&tallies[i], i, (slots - i + PROCESSES - 1) / PROCESSES, storm, storm ? atof(argv[6]) / 1000 : 0, began + seconds);
        _exit(0);
    }
    for (int status; wait(&status) > 0;)
        if (status != 0) give_up("a process of its own failed");
    report(tallies, began, seconds);
    return 0;
}
