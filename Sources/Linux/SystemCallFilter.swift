internal import CLinux

/// The system calls a process may still make; every other fails.
///
/// The corresponding C function is `seccomp` with `SECCOMP_SET_MODE_FILTER`.
public struct SystemCallFilter: Sendable {
    private let allowed: [Int32]

    /// Allows the calls of some groups.
    public init(allowing groups: [Group]) {
        allowed = Array(Set(groups.flatMap(\.numbers))).sorted()
    }

    /// Binds all threads of this process to the filter, for good.
    ///
    /// - Parameter error: What other calls fail with.
    /// - Throws: `EACCES` without no_new_privs or `CAP_SYS_ADMIN`; `EINVAL` or `ENOSYS` where the
    ///   kernel has no filters.
    public func enforce(failingWith error: Errno = .operationNotPermitted) throws(Errno) {
        _ = try valueOrErrno {
            linux_restrict_system_calls(allowed, allowed.count, error.rawValue)
        }
    }
}

extension SystemCallFilter {
    /// Calls that belong together.
    public struct Group: Sendable {
        let numbers: [Int32]
    }
}

extension SystemCallFilter.Group {
    /// Memory, threads, clocks, and ending: what any process of ours does.
    public static let runtime = Self(numbers: [
        SYS_brk, SYS_mmap, SYS_mremap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mincore,
        SYS_mlock, SYS_mlock2,
        SYS_munlock, SYS_clone, SYS_clone3, SYS_set_robust_list, SYS_rseq, SYS_set_tid_address,
        SYS_futex, SYS_sched_yield, SYS_sched_getaffinity, SYS_getcpu, SYS_gettid, SYS_getpid,
        SYS_getppid, SYS_tgkill, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep,
        SYS_nanosleep, SYS_gettimeofday, SYS_getrandom, SYS_rt_sigaction, SYS_rt_sigprocmask,
        SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_exit, SYS_exit_group,
        SYS_prlimit64, SYS_uname, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_sysinfo,
    ])

    /// Reading, writing and waiting on open descriptors.
    public static let descriptors = Self(
        numbers: [
            SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv,
            SYS_pwritev, SYS_close, SYS_lseek, SYS_fstat, SYS_fcntl, SYS_dup, SYS_dup3, SYS_ioctl,
            SYS_ppoll, SYS_splice, SYS_vmsplice, SYS_pipe2,
        ] + SystemCallFilter.legacyDescriptors
    )

    /// Opening files for reading.
    public static let readingFiles = Self(
        numbers: [
            SYS_openat, SYS_newfstatat, SYS_statx, SYS_fstatfs, SYS_statfs, SYS_readlinkat,
            SYS_getdents64, SYS_faccessat, SYS_faccessat2, SYS_getcwd,
        ] + SystemCallFilter.legacyReading
    )

    /// Creating, changing and removing files.
    public static let changingFiles = Self(numbers: [
        SYS_mkdirat, SYS_mknodat, SYS_unlinkat, SYS_symlinkat, SYS_linkat, SYS_renameat,
        SYS_renameat2, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat,
        SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_flock,
        SYS_copy_file_range, SYS_fadvise64, SYS_umask, SYS_fsetxattr, SYS_fgetxattr,
        SYS_flistxattr, SYS_fremovexattr,
    ])

    /// Talking to servers: sockets that connect, none that listens.
    public static let connecting = Self(numbers: [
        SYS_socket, SYS_connect, SYS_bind, SYS_getsockname, SYS_getpeername, SYS_getsockopt,
        SYS_setsockopt, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg,
        SYS_recvmmsg, SYS_shutdown,
    ])
}

extension SystemCallFilter {
    #if arch(x86_64)
    // Calls that newer architectures do without, and the C library still makes here.
    fileprivate static let legacyDescriptors = [SYS_poll, SYS_select, SYS_pselect6, SYS_dup2]
    fileprivate static let legacyReading = [
        SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_arch_prctl,
    ]
    #else
    fileprivate static let legacyDescriptors = [SYS_pselect6]
    fileprivate static let legacyReading: [Int32] = []
    #endif
}
