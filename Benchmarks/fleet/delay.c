// delay LISTEN TARGET MICROSECONDS
//
// A network of a known length between two programs of this machine: what comes in on the Unix socket LISTEN goes to the
// Unix socket TARGET so much later, and back as much later again. A round trip is twice MICROSECONDS, and what waking
// four threads costs.

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct chunk {
    struct chunk *next;
    struct timespec due;
    ssize_t count;  // 0 at the end
    char bytes[65536];
};

// One direction of a connection.
struct pump {
    int from, to;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct chunk *first, **last;
};

static long delay_nanoseconds;

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *reader(void *argument) {
    struct pump *pump = argument;
    for (;;) {
        struct chunk *chunk = malloc(sizeof *chunk);
        if (chunk == NULL) give_up("malloc");
        chunk->next = NULL;
        chunk->count = read(pump->from, chunk->bytes, sizeof chunk->bytes);
        if (chunk->count < 0) chunk->count = 0;
        clock_gettime(CLOCK_MONOTONIC, &chunk->due);
        chunk->due.tv_nsec += delay_nanoseconds;
        chunk->due.tv_sec += chunk->due.tv_nsec / 1000000000;
        chunk->due.tv_nsec %= 1000000000;
        int ends = chunk->count == 0;
        pthread_mutex_lock(&pump->lock);
        *pump->last = chunk;
        pump->last = &chunk->next;
        pthread_cond_signal(&pump->filled);
        pthread_mutex_unlock(&pump->lock);
        if (ends) return NULL;
    }
}

static void *writer(void *argument) {
    struct pump *pump = argument;
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    for (;;) {
        pthread_mutex_lock(&pump->lock);
        while (pump->first == NULL) pthread_cond_wait(&pump->filled, &pump->lock);
        struct chunk *chunk = pump->first;
        pump->first = chunk->next;
        if (pump->first == NULL) pump->last = &pump->first;
        pthread_mutex_unlock(&pump->lock);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &chunk->due, NULL) == EINTR) {}
        for (ssize_t done = 0; done < chunk->count;) {
            ssize_t count = send(pump->to, chunk->bytes + done, chunk->count - done, MSG_NOSIGNAL);
            if (count <= 0) break;
            done += count;
        }
        int ends = chunk->count == 0;
        free(chunk);
        if (ends) {
            shutdown(pump->to, SHUT_WR);
            return NULL;
        }
    }
}

static void start(int from, int to) {
    struct pump *pump = calloc(1, sizeof *pump);
    pthread_t thread;
    if (pump == NULL) give_up("calloc");
    *pump = (struct pump){.from = from, .to = to, .lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    pump->last = &pump->first;
    if (pthread_create(&thread, NULL, reader, pump) != 0 || pthread_create(&thread, NULL, writer, pump) != 0)
        give_up("pthread_create");
}

static struct sockaddr_un address(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) give_up(path);
    strcpy(address.sun_path, path);
    return address;
}

int main(int count, char **arguments) {
    if (count != 4) give_up("usage: delay LISTEN TARGET MICROSECONDS");
    delay_nanoseconds = atol(arguments[3]) * 1000;
    struct sockaddr_un own = address(arguments[1]), target = address(arguments[2]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, 64) != 0) give_up(arguments[1]);
    for (;;) {
        int client = accept(listener, NULL, NULL), server = socket(AF_UNIX, SOCK_STREAM, 0);
        if (client < 0 || connect(server, (struct sockaddr *)&target, sizeof target) != 0) give_up(arguments[2]);
        start(client, server);
        start(server, client);
    }
}
