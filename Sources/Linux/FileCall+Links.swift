internal import CLinux
internal import Glibc

// Symbolic links themselves.
extension FileCall {
    /// Reads a symbolic link's target.
    ///
    /// - Throws: ``Errno/nameTooLong`` for one that is longer than a path can be.
    ///
    /// The corresponding C function is `readlinkat`.
    public static func readLink(
        _ name: FileName,
        in directory: Int32
    ) throws(Errno) -> [UInt8] {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try name.withCString { name throws(Errno) in
            try valueOrErrno { readlinkat(directory, name, &target, target.count) }
        }
        guard count < target.count else { throw .nameTooLong }
        return target[..<count].map { UInt8(bitPattern: $0) }
    }

    /// Makes a symbolic link.
    ///
    /// - Parameters:
    ///   - name: Not there yet.
    ///   - directory: Where it is made.
    ///   - target: Without NUL; a longer path than the kernel takes fails.
    /// - Throws: ``Errno``.
    ///
    /// The corresponding C function is `symlinkat`.
    public static func makeLink(
        _ name: FileName,
        in directory: Int32,
        to target: [UInt8]
    ) throws(Errno) {
        let terminated = (target + [0]).map { CChar(bitPattern: $0) }
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { symlinkat(terminated, directory, name) }
        }
    }

    /// Sets the times of a name, and of a symbolic link its own.
    ///
    /// The corresponding C function is `utimensat` with `AT_SYMLINK_NOFOLLOW`.
    public static func setTimes(
        of name: FileName,
        in directory: Int32,
        accessed: FileTime,
        modified: FileTime
    ) throws(Errno) {
        let times = [accessed.specification, modified.specification]
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) }
        }
    }
}
