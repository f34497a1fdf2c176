internal import CLinux
internal import Glibc

/// The system calls a process may still make; every other fails.
///
/// The corresponding C function is `seccomp` with `SECCOMP_SET_MODE_FILTER`.
public struct SystemCallFilter: Sendable {
    private let groups: [Group]

    /// Allows the calls of some groups.
    public init(allowing groups: [Group]) {
        self.groups = groups
    }

    /// Binds all threads of this process to the filter, for good.
    ///
    /// - Parameter error: What other calls fail with.
    /// - Throws: `EACCES` without no_new_privs or `CAP_SYS_ADMIN`; `EINVAL` or `ENOSYS` where the
    ///   kernel has no filters.
    public func enforce(failingWith error: Errno = .operationNotPermitted) throws(Errno) {
        let numbers = Set(groups.flatMap(\.numbers)).sorted()
        let rules =
            numbers.map { linux_call_rule(number: $0, argument: -1, mask: 0, value: 0, error: 0) }
            + groups.flatMap(\.restricted).map(\.rule)
        _ = try valueOrErrno {
            linux_restrict_system_calls(rules, rules.count, error.rawValue)
        }
    }
}

extension SystemCallFilter {
    /// A call that depends on an argument.
    struct RestrictedCall: Sendable {
        let number: Int32
        /// Which argument, from zero on; nil for a call that is said not to exist.
        let argument: Int32?
        /// The bits of it that count.
        let mask: UInt32
        /// What they have to be; nil for this process's id.
        let value: UInt32?

        /// Allowed where an argument has a value.
        static func call(_ number: Int32, argument: Int32, is value: UInt32) -> Self {
            Self(number: number, argument: argument, mask: .max, value: value)
        }

        /// Allowed where an argument, a set of flags, contains one.
        static func call(_ number: Int32, argument: Int32, contains flag: UInt32) -> Self {
            Self(number: number, argument: argument, mask: flag, value: flag)
        }

        /// Allowed on this process only.
        static func onOurselves(_ number: Int32) -> Self {
            Self(number: number, argument: 0, mask: .max, value: nil)
        }

        /// Fails as on a kernel that does not have it, and the C library does without.
        static func absent(_ number: Int32) -> Self {
            Self(number: number, argument: nil, mask: 0, value: 0)
        }

        fileprivate var rule: linux_call_rule {
            linux_call_rule(
                number: number,
                argument: argument ?? -1,
                mask: mask,
                value: value ?? UInt32(bitPattern: CurrentProcess.id),
                error: argument == nil ? Errno.noFunction.rawValue : 0
            )
        }
    }
}

extension SystemCallFilter {
    /// Calls that belong together.
    public struct Group: Sendable {
        let numbers: [Int32]
        var restricted: [RestrictedCall] = []
    }
}

extension SystemCallFilter.Group {
    /// Memory, threads, clocks, and ending: what any process of ours does.
    ///
    /// A clone makes a thread and no process, in no namespace of its own; `clone3` has its flags
    /// where no filter sees them. Signals and limits are this process's own.
    public static let runtime = Self(
        numbers: [
            SYS_brk, SYS_mmap, SYS_mremap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mincore,
            SYS_mlock, SYS_mlock2,
            SYS_munlock, SYS_set_robust_list, SYS_rseq, SYS_set_tid_address,
            SYS_futex, SYS_sched_yield, SYS_sched_getaffinity, SYS_getcpu, SYS_gettid, SYS_getpid,
            SYS_getppid, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep,
            SYS_nanosleep, SYS_timer_create, SYS_timer_settime, SYS_timer_delete,
            SYS_gettimeofday, SYS_getrandom, SYS_rt_sigaction, SYS_rt_sigprocmask,
            SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_exit, SYS_exit_group,
            SYS_uname, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_sysinfo,
        ],
        restricted: [
            .call(SYS_clone, argument: 0, contains: linux_clone_thread), .absent(SYS_clone3),
            .call(SYS_prlimit64, argument: 0, is: 0), .onOurselves(SYS_tgkill),
        ]
    )

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
        SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_sync_file_range,
        SYS_flock,
        SYS_copy_file_range, SYS_fadvise64, SYS_umask, SYS_fsetxattr, SYS_fgetxattr,
        SYS_flistxattr, SYS_fremovexattr,
    ])

    /// Emptying a filesystem and detaching mounts, and nothing else with files and mounts: what is
    /// mounted can be made writable, not moved or covered.
    public static let unmounting = Self(
        numbers: [
            SYS_read, SYS_write, SYS_pwrite64, SYS_close, SYS_openat, SYS_fstat, SYS_newfstatat,
            SYS_fstatfs, SYS_readlinkat, SYS_getdents64, SYS_unlinkat, SYS_ppoll,
        ] + SystemCallFilter.legacyReading + SystemCallFilter.legacyDescriptors,
        restricted: [
            .call(SYS_umount2, argument: 1, contains: UInt32(MNT_DETACH)),
            .call(SYS_mount, argument: 3, contains: UInt32(MS_REMOUNT | MS_BIND)),
        ]
    )

    /// Talking to servers: sockets of the internet that connect, none that listens; and the kernel's
    /// list of addresses, which the resolver sorts by.
    public static let connecting = Self(
        numbers: [
            SYS_connect, SYS_bind, SYS_getsockname, SYS_getpeername, SYS_getsockopt,
            SYS_setsockopt, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg,
            SYS_recvmmsg, SYS_shutdown,
        ],
        restricted: [AF_INET, AF_INET6, AF_NETLINK].map {
            .call(SYS_socket, argument: 0, is: UInt32($0))
        }
    )
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
