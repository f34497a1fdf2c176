#include "CLinuxSpawn.h"

#include "CLinux.h"
#include "CLinuxProcess.h"
#include "addressee.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// Says what failed and ends. _exit, not exit: the parent's buffers and handlers are not ours.
static _Noreturn void fail(const struct linux_spawn *request, enum linux_spawn_stage stage,
                           int code) {
    struct linux_spawn_failure failure = {.stage = (int32_t)stage, .code = code};
    // Eight bytes into an empty pipe: all or nothing, and nobody to tell if it is nothing.
    ssize_t written = write(request->failure_descriptor, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

#define CHECK(stage, call) \
    do { \
        if ((call) == -1) fail(request, (stage), errno); \
    } while (0)

// Lists /proc/self/fd with raw system calls where close_range (Linux 5.9) is missing.
static void close_without_range(int first) {
    struct rlimit limit;
    int last = 65536;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < (rlim_t)last)
        last = (int)limit.rlim_cur;
    for (int descriptor = first; descriptor < last; descriptor++) close(descriptor);
}

static void close_from(int first, int last) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0) == 0) return;
#endif
    if (last == -1) {
        close_without_range(first);
    } else {
        for (int descriptor = first; descriptor <= last; descriptor++) close(descriptor);
    }
}

// Moves the failure pipe and every source out of the way of the targets, then into place.
// Returns where the failure pipe is now.
static int place_descriptors(const struct linux_spawn *request) {
    int above = 3;
    for (size_t i = 0; i < request->mapping_count; i++)
        if (request->mappings[i].target >= above) above = request->mappings[i].target + 1;

    int failure = fcntl(request->failure_descriptor, F_DUPFD_CLOEXEC, above);
    CHECK(LINUX_SPAWN_STAGE_DESCRIPTORS, failure);

    int moved[16];
    if (request->mapping_count > sizeof moved / sizeof *moved)
        fail(request, LINUX_SPAWN_STAGE_DESCRIPTORS, EINVAL);
    for (size_t i = 0; i < request->mapping_count; i++) {
        moved[i] = fcntl(request->mappings[i].source, F_DUPFD_CLOEXEC, above);
        CHECK(LINUX_SPAWN_STAGE_DESCRIPTORS, moved[i]);
    }
    // dup2 leaves FD_CLOEXEC off on the copy, which is what the child shall have.
    for (size_t i = 0; i < request->mapping_count; i++)
        CHECK(LINUX_SPAWN_STAGE_DESCRIPTORS, dup2(moved[i], request->mappings[i].target));

    if (request->isolate_descriptors) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        CHECK(LINUX_SPAWN_STAGE_DESCRIPTORS, null);
        CHECK(LINUX_SPAWN_STAGE_DESCRIPTORS, dup2(null, STDIN_FILENO));
        CHECK(LINUX_SPAWN_STAGE_DESCRIPTORS, dup2(null, STDOUT_FILENO));
        for (int descriptor = 3; descriptor < above; descriptor++) {
            bool wanted = false;
            for (size_t i = 0; i < request->mapping_count; i++)
                if (request->mappings[i].target == descriptor) wanted = true;
            if (!wanted) close(descriptor);
        }
        if (failure > above) close_from(above, failure - 1);
        close_from(failure + 1, -1);
    }
    return failure;
}

// An exec makes a process open to others of its user again, unless its effective and its real group
// differ (begin_new_exec in the kernel's fs/exec.c). The program goes back to its real one, which
// it always may.
static bool hides(const struct linux_spawn *request) {
    return request->hide && request->no_new_privileges;
}

static void prepare_to_hide(void) {
    const gid_t real = getgid();
    // Which other group does not matter. Without the right to it, the process is open for the moment
    // until it closes itself.
    (void)syscall(SYS_setresgid, -1, real == 1 ? 2 : 1, -1);
}

// The C library's functions would signal every thread of the process; there is one here, and the
// kernel's own calls are all it takes.
static void change_identity(const struct linux_spawn *request) {
    CHECK(LINUX_SPAWN_STAGE_IDENTITY,
          syscall(SYS_setgroups, request->group_count, request->groups));
    CHECK(LINUX_SPAWN_STAGE_IDENTITY,
          syscall(SYS_setresgid, request->gid, request->gid, request->gid));
    // The user may not be allowed to change it any more.
    if (hides(request)) prepare_to_hide();
    CHECK(LINUX_SPAWN_STAGE_IDENTITY,
          syscall(SYS_setresuid, request->uid, request->uid, request->uid));
}

static void drop_bounding(const struct linux_spawn *request) {
    for (int capability = 0; capability < 64; capability++) {
        if ((request->bounding >> capability & 1) != 0) continue;
        // The kernel says EINVAL past the last capability it knows.
        int present = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (present < 0) break;
        if (present == 0) continue;
        CHECK(LINUX_SPAWN_STAGE_BOUNDING, prctl(PR_CAPBSET_DROP, capability, 0, 0, 0));
    }
}

static void limit_capabilities(const struct linux_spawn *request) {
    struct linux_capabilities sets;
    CHECK(LINUX_SPAWN_STAGE_CAPABILITIES, linux_get_capabilities(&sets));
    // A change of identity may have left less than is asked for; what is gone cannot be raised.
    sets.permitted &= request->permitted;
    sets.effective &= request->permitted;
    sets.inheritable &= request->inheritable;
    CHECK(LINUX_SPAWN_STAGE_CAPABILITIES, linux_set_capabilities(&sets));
    // Lowering a permitted or inheritable one has lowered the ambient one with it; this is for those
    // that stay permitted. A kernel says EINVAL past the last capability it knows.
    for (int capability = 0; capability < 64; capability++) {
        if ((request->ambient >> capability & 1) != 0) continue;
        int set = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0);
        if (set < 0) break;
        if (set == 1)
            CHECK(LINUX_SPAWN_STAGE_CAPABILITIES,
                  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, capability, 0, 0));
    }
}

static void restore_signals(const struct linux_spawn *request) {
    for (int number = 1; number <= 64; number++) {
        if (number == SIGKILL || number == SIGSTOP) continue;
        bool ignore = (request->ignored_signals >> (number - 1) & 1) != 0;
        CHECK(LINUX_SPAWN_STAGE_SIGNALS, linux_set_disposition(number, ignore));
    }
    CHECK(LINUX_SPAWN_STAGE_SIGNALS, linux_set_signal_mask(request->signal_mask));
}

static _Noreturn void execute(const struct linux_spawn *request) {
    int code = ENOENT;
    for (char *const *candidate = request->candidates; *candidate != NULL; candidate++) {
        execve(*candidate, request->argv, request->envp);
        if (errno == ENOEXEC && request->shell_argv != NULL) {
            request->shell_argv[1] = *candidate;
            execve(request->shell_argv[0], request->shell_argv, request->envp);
            // The file was found; that there is no shell does not make it absent.
            fail(request, LINUX_SPAWN_STAGE_EXEC, ENOEXEC);
        }
        switch (errno) {
        case EACCES:
            code = EACCES;
            break;
        case ENOENT:
        case ENOTDIR:
        case ESTALE:
        case ENODEV:
        case ETIMEDOUT:
            break;
        default:
            fail(request, LINUX_SPAWN_STAGE_EXEC, errno);
        }
    }
    fail(request, LINUX_SPAWN_STAGE_EXEC, code);
}

static _Noreturn void become_child(const struct linux_spawn *described) {
    struct linux_spawn copy = *described;
    const struct linux_spawn *request = &copy;

    if (request->grouping == LINUX_SPAWN_PROCESS_GROUP)
        CHECK(LINUX_SPAWN_STAGE_GROUPING, setpgid(0, 0));
    else if (request->grouping == LINUX_SPAWN_SESSION)
        CHECK(LINUX_SPAWN_STAGE_GROUPING, setsid());
    // Every signal is still blocked here, so SIGTTOU does not stop us. ENOTTY: not ours to take.
    if (request->terminal >= 0 && tcsetpgrp(request->terminal, getpgrp()) == -1 &&
        errno != ENOTTY && errno != ENXIO && errno != EPERM)
        fail(request, LINUX_SPAWN_STAGE_TERMINAL, errno);

    copy.failure_descriptor = place_descriptors(request);

    if (request->set_core_limit) {
        struct rlimit limit = {request->core_soft, request->core_hard};
        CHECK(LINUX_SPAWN_STAGE_LIMITS, setrlimit(RLIMIT_CORE, &limit));
    }
    if (request->file_mode_mask >= 0) umask((mode_t)request->file_mode_mask);

    // Bounding first: dropping it takes CAP_SETPCAP, which the identity may take away.
    if (request->limit_capabilities) drop_bounding(request);
    if (request->change_identity) change_identity(request);
    else if (hides(request)) prepare_to_hide();
    // As the user it will run as, who may not be let in everywhere.
    if (request->directory != NULL)
        CHECK(LINUX_SPAWN_STAGE_DIRECTORY, chdir(request->directory));
    if (request->limit_capabilities) limit_capabilities(request);
    // A change of identity opens a process on systems with fs.suid_dumpable.
    CHECK(LINUX_SPAWN_STAGE_IDENTITY, linux_set_dumpable(false));
    if (request->no_new_privileges)
        CHECK(LINUX_SPAWN_STAGE_NO_NEW_PRIVILEGES, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    // After the identity, whose change clears it.
    if (request->parent_death_signal != 0)
        CHECK(LINUX_SPAWN_STAGE_PARENT_DEATH,
              prctl(PR_SET_PDEATHSIG, request->parent_death_signal, 0, 0, 0));
    linux_become_addressee(request->envp);
    restore_signals(request);
    execute(request);
}

pid_t linux_spawn(const struct linux_spawn *request) {
    pid_t child = fork();
    if (child == 0) become_child(request);
    return child;
}
