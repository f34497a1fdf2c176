internal import CLinux
internal import Glibc

/// This process.
public enum CurrentProcess {
    /// Its id, in its own pid namespace.
    public static var id: Int32 { getpid() }

    /// Its effective user id.
    public static var effectiveUser: UInt32 { geteuid() }

    /// The corresponding C function is `getegid`.
    public static var effectiveGroup: UInt32 { getegid() }

    /// Keeps its memory out of core dumps and from other processes' reach.
    ///
    /// Lost over an exec. The corresponding C function is `prctl` with `PR_SET_DUMPABLE`.
    public static func refuseDumps() throws(Errno) {
        _ = try valueOrErrno { linux_set_dumpable(false) }
    }

    /// Makes the real group the effective one, too, and clears the parent's death signal.
    ///
    /// What a process that was started hidden does first.
    ///
    /// The corresponding C function is `setregid`.
    public static func useRealGroup() throws(Errno) {
        let group = getgid()
        guard getegid() != group else { return }
        _ = try valueOrErrno { setregid(group, group) }
    }

    /// Sets what lists of processes show.
    ///
    /// - Parameter name: Cut off after 15 bytes.
    ///
    /// The corresponding C function is `prctl` with `PR_SET_NAME`.
    public static func setName(_ name: StaticString) {
        _ = linux_set_name(
            UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        )
    }

    /// Sets which signals are blocked for this thread.
    ///
    /// The corresponding C function is `sigprocmask` with `SIG_SETMASK`.
    public static func setSignalMask(_ mask: SignalSet) {
        // Fails only for an address that is none.
        _ = linux_set_signal_mask(mask.rawValue)
    }

    /// Becomes the parent of its descendants' orphans, as process 1 is by nature.
    ///
    /// The corresponding C function is `prctl` with `PR_SET_CHILD_SUBREAPER`.
    public static func becomeSubreaper() throws(Errno) {
        _ = try valueOrErrno { linux_set_subreaper() }
    }

    /// Asks for a signal when the parent ends.
    ///
    /// The corresponding C function is `prctl` with `PR_SET_PDEATHSIG`.
    public static func setParentDeathSignal(_ signal: Signal) throws(Errno) {
        _ = try valueOrErrno { linux_set_parent_death_signal(signal.rawValue) }
    }

    /// Changes to the root directory, so as to keep no other busy.
    ///
    /// The corresponding C function is `chdir`.
    public static func leaveDirectory() {
        // Refused, it stays where it is, and goes on.
        _ = chdir("/")
    }

    /// Leaves at once with this status, running nothing of the C library's on the way.
    ///
    /// The corresponding C function is `_exit`.
    public static func exit(_ status: Int32) -> Never {
        _exit(status)
    }

    /// The number of the pid namespace it lives in; no other has it at the same time.
    ///
    /// The corresponding C function is `stat` on `/proc/self/ns/pid`.
    public static func pidNamespace() throws(Errno) -> UInt64 {
        var status = stat()
        _ = try valueOrErrno { stat("/proc/self/ns/pid", &status) }
        return UInt64(status.st_ino)
    }

    /// The working directory; nil where it has been removed.
    ///
    /// The corresponding C function is `getcwd`.
    public static var directory: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            getcwd(buffer.baseAddress, buffer.count).map { String(cString: $0) }
        }
    }

    /// The machine's name, as far as it is text.
    ///
    /// The corresponding C function is `gethostname`.
    public static var hostName: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, gethostname(base, 255) == 0 else { return "" }
            base[255] = 0
            return String(cString: base)
        }
    }

    /// Whether `/proc` shows the pid namespace this process lives in.
    ///
    /// A `/proc` of another namespace names other processes by our numbers.
    public static var seesOwnProcesses: Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let base = buffer.baseAddress else { return false }
            let count = readlink("/proc/self", base, 31)
            guard count > 0 else { return false }
            base[count] = 0
            return atoi(base) == getpid()
        }
    }
}

/// The soft and hard limit on the size of core dumps.
///
/// The corresponding C functions are `getrlimit` and `setrlimit`.
public struct CoreLimit: Sendable {
    /// What applies.
    public let soft: UInt64
    /// How far the soft one may be raised.
    public let hard: UInt64

    /// The limit of this process.
    public static func current() throws(Errno) -> CoreLimit {
        var limit = rlimit()
        _ = try valueOrErrno { getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) }
        return CoreLimit(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// No dumps, and no way back.
    public static let none = CoreLimit(soft: 0, hard: 0)

    /// Sets the soft limit of this process to nothing, the hard one left for its children.
    public static func refuseDumps() throws(Errno) {
        var limit = rlimit()
        _ = try valueOrErrno { getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) }
        limit.rlim_cur = 0
        _ = try valueOrErrno { setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) }
    }
}
