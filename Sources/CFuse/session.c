#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// <linux/fuse.h> is not everywhere.
#define CLONE_REQUEST _IOR(229, 0, uint32_t)

// What precedes a write's bytes in a request, rounded up as libfuse does.
#define HEADER_ROOM 4096

// libfuse keeps one descriptor a session; every thread of ours has its own, and an answer has to
// leave by the one its request came in by. So reading and writing are ours, and look here.
static __thread int serving_device = -1;
static __thread void *serving_thread;

// The request being served. What libfuse 3.14 does not know of the protocol is read, and answered, here.
static __thread const char *serving_request;

// What the thread served last, and when it received it.
static __thread uint32_t served_operation;
static __thread struct timespec received;

enum {
    IN_HEADER = 40, // struct fuse_in_header; the operation's own arguments follow
    OPERATION = 4,  // its field opcode
    SYNCHRONISE = 20,
    INITIALISE = 26,
    // fuse_init_in and fuse_init_out alike
    INIT_FLAGS = 12,
    // The kernel clears set-user-ID bits itself or says when to, instead of asking for a file's
    // security.capability before every write.
    HANDLE_KILLPRIV_V2 = 1 << 28,
    SETATTR_VALID = 0, // fuse_setattr_in
    SETATTR_KILL_SUIDGID = 1 << 11,
};

static uint32_t number_at(const char *bytes, size_t offset) {
    uint32_t number;
    memcpy(&number, bytes + offset, sizeof number);
    return number;
}

int cfuse_change_drops_privilege(void) {
    return (number_at(serving_request, IN_HEADER + SETATTR_VALID) & SETATTR_KILL_SUIDGID) != 0;
}

// Adds to the answer of the first request what libfuse cannot.
static void complete_initialisation(struct iovec *parts, int count) {
    if (count < 2 || parts[1].iov_len < INIT_FLAGS + sizeof(uint32_t)) return;
    uint32_t offered = number_at(serving_request, IN_HEADER + INIT_FLAGS);
    char *own = (char *)parts[1].iov_base + INIT_FLAGS;
    uint32_t flags = number_at(own, 0) | (offered & HANDLE_KILLPRIV_V2);
    memcpy(own, &flags, sizeof flags);
}

void *cfuse_thread(void) { return serving_thread; }

void cfuse_answer(struct iovec *parts, int count) { (void)!writev(serving_device, parts, count); }

static ssize_t answer(int descriptor, struct iovec *parts, int count, void *userdata) {
    (void)descriptor, (void)userdata;
    // No request is served where the kernel is told something, or answered later.
    if (serving_request != NULL && number_at(serving_request, OPERATION) == INITIALISE)
        complete_initialisation(parts, count);
    return writev(serving_device, parts, count);
}

static ssize_t receive(int descriptor, void *buffer, size_t capacity, void *userdata) {
    (void)descriptor, (void)userdata;
    return read(serving_device, buffer, capacity);
}

// libfuse writes what it dislikes to stderr, in a form of its own; an answer that comes too late,
// after the mount is gone, is nothing to tell anybody.
static void log_nothing(enum fuse_log_level level, const char *format, va_list arguments) {
    (void)level, (void)format, (void)arguments;
}

size_t cfuse_request_capacity(uint32_t request_limit) { return HEADER_ROOM + request_limit; }

struct cfuse_session *cfuse_session_new(
    const cfuse_operations *operations, const cfuse_settings *settings) {
    static const struct fuse_custom_io io = {.writev = answer, .read = receive};
    struct cfuse_session *session = calloc(1, sizeof *session);
    if (session == NULL) return NULL;
    session->operations = *operations;
    session->settings = *settings;

    char limit[32];
    snprintf(limit, sizeof limit, "max_read=%u", settings->read_limit);
    char *arguments[] = {"secure-store", "-o", limit, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, arguments);
    fuse_set_log_func(log_nothing);
    session->fuse = fuse_session_new(&args, &cfuse_lowlevel, sizeof cfuse_lowlevel, session);
    fuse_opt_free_args(&args);
    if (session->fuse == NULL) {
        free(session);
        return NULL;
    }
    // libfuse closes the descriptor it is given; this one only has to be one.
    int placeholder = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (placeholder < 0 || fuse_session_custom_io(session->fuse, &io, placeholder) != 0) {
        if (placeholder >= 0) close(placeholder);
        fuse_session_destroy(session->fuse);
        free(session);
        return NULL;
    }
    return session;
}

void cfuse_session_free(struct cfuse_session *session) {
    fuse_session_destroy(session->fuse);
    free(session);
}

int cfuse_clone_device(int device) {
    int clone = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (clone < 0) return -1;
    uint32_t original = (uint32_t)device;
    if (ioctl(clone, CLONE_REQUEST, &original) == -1) {
        int code = errno;
        close(clone);
        errno = code;
        return -1;
    }
    return clone;
}

static int64_t nanoseconds_since(const struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000000000L + now.tv_nsec - start->tv_nsec;
}

int cfuse_asks_again_soon(int64_t nanoseconds) {
    return served_operation == SYNCHRONISE || nanoseconds_since(&received) < nanoseconds;
}

int cfuse_look(int device, int64_t nanoseconds) {
    struct pollfd request = {.fd = device, .events = POLLIN};
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        // Whatever else there is to know of the device, reading it tells.
        if (poll(&request, 1, 0) != 0) return 1;
        // Who asks may have to run on this processor.
        sched_yield();
    } while (nanoseconds_since(&start) < nanoseconds);
    return 0;
}

ssize_t cfuse_serve(
    struct cfuse_session *session, int device, void *thread, void *buffer, size_t capacity) {
    ssize_t count;
    do {
        // ENOENT: the request was taken back before it could be read.
        count = read(device, buffer, capacity);
    } while (count == -1 && errno == ENOENT);
    if (count == -1) return errno == ENODEV ? 0 : -errno;
    clock_gettime(CLOCK_MONOTONIC, &received);

    serving_device = device;
    serving_thread = thread;
    serving_request = buffer;
    served_operation = number_at(buffer, OPERATION);
    if (!cfuse_serve_content(session, buffer, (size_t)count)) {
        struct fuse_buf request = {.mem = buffer, .size = (size_t)count};
        fuse_session_process_buf(session->fuse, &request);
    }
    serving_device = -1;
    serving_thread = NULL;
    serving_request = NULL;
    return count;
}

void cfuse_speak_through(int device) { serving_device = device; }

void cfuse_collect(struct cfuse_session *session, uint64_t node, uint64_t offset) {
    // Dirty pages are written before they are dropped. What fails is the file's error, told by its fsync.
    (void)fuse_lowlevel_notify_inval_inode(session->fuse, node, (off_t)offset, 0);
}

uint32_t cfuse_request_user(struct fuse_req *request) { return fuse_req_ctx(request)->uid; }

uint32_t cfuse_request_group(struct fuse_req *request) { return fuse_req_ctx(request)->gid; }

uint32_t cfuse_request_mask(struct fuse_req *request) { return fuse_req_ctx(request)->umask; }
