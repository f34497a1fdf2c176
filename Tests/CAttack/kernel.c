// Asking the kernel for what it knows of others.

#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_for(const char *path, int flags) {
    const int file = open(path, flags | O_CLOEXEC);
    if (file == -1) return errno;
    close(file);
    return 0;
}

static int write_core_pattern(const struct attack *attack) {
    (void)attack;
    // Opened only: what it would do is known.
    return open_for("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int trigger(const struct attack *attack) {
    (void)attack;
    return open_for("/proc/sysrq-trigger", O_WRONLY);
}

static int read_kernel(const struct attack *attack) {
    (void)attack;
    return open_for("/proc/kcore", O_RDONLY);
}

// A program on a kernel probe reads any memory.
static int load_program(const struct attack *attack) {
    (void)attack;
    const struct bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attribute;
    memset(&attribute, 0, sizeof attribute);
    attribute.prog_type = BPF_PROG_TYPE_TRACEPOINT;
    attribute.insns = (uint64_t)program;
    attribute.insn_cnt = sizeof program / sizeof *program;
    attribute.license = (uint64_t)"GPL";
    return REFUSAL(syscall(SYS_bpf, BPF_PROG_LOAD, &attribute, sizeof attribute));
}

static int set_up_ring(const struct attack *attack) {
    (void)attack;
    struct io_uring_params parameters;
    memset(&parameters, 0, sizeof parameters);
    return REFUSAL(syscall(SYS_io_uring_setup, 1, &parameters));
}

static int handle_faults(const struct attack *attack) {
    (void)attack;
    // UFFD_USER_MODE_ONLY
    return REFUSAL(syscall(SYS_userfaultfd, 1));
}

// Every key of every keyring it has, in text or not.
static int read_keyrings(const struct attack *attack) {
    const int rings[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING};
    bool any = false;
    int refusal = 0;
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
        int32_t keys[256];
        const long count = syscall(SYS_keyctl, KEYCTL_READ, rings[i], keys, sizeof keys);
        if (count == -1) {
            refusal = errno;
            continue;
        }
        any = true;
        for (long key = 0; key * 4 < count && key < 256; key++) {
            uint8_t bytes[4096];
            const long length = syscall(SYS_keyctl, KEYCTL_READ, keys[key], bytes, sizeof bytes);
            if (length > 0 && length <= 4096 &&
                needles_occur(attack->needles, bytes, (size_t)length))
                return 0;
        }
    }
    return any ? ENODATA : refusal;
}

// The control of the above.
static int read_keyrings_with_planted(const struct attack *attack) {
    const size_t count = attack->needles->item[0].count;
    uint8_t plain[128];
    for (size_t i = 0; i < count; i++) plain[i] = 0xff ^ attack->needles->item[0].inverted[i];
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) == -1) return errno;
    if (syscall(SYS_add_key, "user", "attack", plain, count, KEY_SPEC_SESSION_KEYRING) == -1)
        return errno;
    return read_keyrings(attack);
}

static int fork_process(const struct attack *attack) {
    (void)attack;
    const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    if (child == -1) return errno;
    waitpid((pid_t)child, NULL, 0);
    return 0;
}

static int make_socket(int family) {
    const int type = family == AF_PACKET || family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM;
    return REFUSAL(socket(family, family == AF_ALG ? SOCK_SEQPACKET : type, 0));
}
static int make_unix(const struct attack *attack) { (void)attack; return make_socket(AF_UNIX); }
static int make_packet(const struct attack *attack) { (void)attack; return make_socket(AF_PACKET); }

const struct attempt attempts_on_kernel[] = {
    {"core_pattern", write_core_pattern},
    {"sysrq", trigger},
    {"kcore", read_kernel},
    {"bpf", load_program},
    {"io_uring", set_up_ring},
    {"userfaultfd", handle_faults},
    {"keyring", read_keyrings},
    {"keyring-planted", read_keyrings_with_planted},
    {"fork", fork_process},
    {"socket-unix", make_unix},
    {"socket-packet", make_packet},
    {NULL, NULL},
};
