internal import CLinux
internal import Glibc

/// The paths a process may still reach; every other is refused.
///
/// What the process has open already stays usable. Binds the calling thread and what it starts
/// later, so it is to be enforced before there are other threads.
///
/// The corresponding C functions are `landlock_create_ruleset`, `landlock_add_rule` and
/// `landlock_restrict_self`.
public struct FileAccessRestriction: ~Copyable {
    private let ruleset: OwnedDescriptor
    private let handled: UInt64

    /// Starts from nothing allowed.
    ///
    /// - Throws: `ENOSYS` or `EOPNOTSUPP` where the kernel has no Landlock or has it switched off.
    public init() throws(Errno) {
        let version = try valueOrErrno { linux_landlock_version() }
        // Version 1 has thirteen accesses, 2 adds REFER, 3 TRUNCATE; later ones are not files'.
        let handled: UInt64 = version >= 3 ? 0x7fff : version == 2 ? 0x3fff : 0x1fff
        let descriptor = try valueOrErrno { linux_landlock_create_ruleset(handled) }
        self.handled = handled
        ruleset = OwnedDescriptor(takingOwnershipOf: descriptor)
    }

    /// What may be done below a path.
    public enum Access: Sendable {
        /// Read files and list directories.
        case read

        /// Everything that is done to files but executing them.
        case readAndChange

        fileprivate var bits: UInt64 {
            switch self {
            case .read: 0x000c
            case .readAndChange: 0x7ffe
            }
        }
    }

    /// Allows a directory and all below it, or one file.
    ///
    /// - Parameters:
    ///   - path: What is not there is passed over: it cannot be reached either way.
    ///   - access: What may be done there.
    /// - Throws: What opening the path gave, but `ENOENT`.
    public func allow(_ path: String, _ access: Access) throws(Errno) {
        let descriptor: OwnedDescriptor
        do throws(Errno) {
            descriptor = OwnedDescriptor(
                takingOwnershipOf: try valueOrErrno { linux_landlock_open(path) }
            )
        } catch .noSuchFile {
            return
        }
        try allow(descriptor.rawValue, access)
    }

    /// Allows an open directory and all below it, or an open file.
    ///
    /// - Parameters:
    ///   - file: Its descriptor, of any mode, `O_PATH` too; borrowed.
    ///   - access: What may be done there; what only directories have is left out for a file.
    /// - Throws: What the kernel said.
    public func allow(_ file: Int32, _ access: Access) throws(Errno) {
        var status = stat()
        _ = try valueOrErrno { fstat(file, &status) }
        // EXECUTE, WRITE_FILE, READ_FILE and TRUNCATE are all a file has.
        let applicable: UInt64 = status.st_mode & S_IFMT == S_IFDIR ? .max : 0x4007
        let bits = access.bits & handled & applicable
        let ruleset = ruleset.rawValue
        _ = try valueOrErrno { linux_landlock_allow(ruleset, file, bits) }
    }

    /// Binds this thread, for good.
    ///
    /// - Throws: `EPERM` without no_new_privs or `CAP_SYS_ADMIN`.
    public consuming func enforce() throws(Errno) {
        let ruleset = ruleset.rawValue
        _ = try valueOrErrno { linux_landlock_restrict(ruleset) }
    }
}
