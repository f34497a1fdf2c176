internal import CLinux
internal import Glibc

// A file's one write lock. The kernel frees it with the last descriptor of the open file that took it,
// however the process that has it ends.
extension FileCall {
    /// Takes the lock of a whole file, without waiting.
    ///
    /// - Parameter descriptor: Open for writing.
    /// - Throws: ``Errno/wouldBlock`` when somebody has it; ``Errno/invalidArgument`` or
    ///   ``Errno/notSupported`` where the file system has no locks.
    ///
    /// The corresponding C function is `fcntl` with `F_OFD_SETLK`.
    public static func lock(_ descriptor: Int32) throws(Errno) {
        do throws(Errno) {
            _ = try valueOrErrno { linux_lock_file(descriptor) }
        } catch .permissionDenied {
            // POSIX allows either.
            throw .wouldBlock
        }
    }

    /// Whether somebody else has the lock of a file; takes nothing itself.
    ///
    /// The corresponding C function is `fcntl` with `F_OFD_GETLK`.
    public static func isLocked(_ descriptor: Int32) throws(Errno) -> Bool {
        try valueOrErrno { linux_is_file_locked(descriptor) } == 1
    }

    /// Takes the lock of an open directory, without waiting.
    ///
    /// A directory is not opened for writing, which the other kind of lock takes.
    ///
    /// - Throws: ``Errno/wouldBlock`` when somebody has it.
    ///
    /// The corresponding C function is `flock` with `LOCK_EX | LOCK_NB`.
    public static func lock(directory: Int32) throws(Errno) {
        _ = try valueOrErrno { flock(directory, LOCK_EX | LOCK_NB) }
    }
}
