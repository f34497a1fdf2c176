internal import CLinux
internal import Glibc

// Links, symbolic and hard, and files of the other kinds.
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

    /// Changes the owner of a name, and of a symbolic link its own.
    ///
    /// The corresponding C function is `fchownat` with `AT_SYMLINK_NOFOLLOW`.
    public static func setOwner(
        of name: FileName,
        in directory: Int32,
        user: UInt32,
        group: UInt32
    ) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { fchownat(directory, name, user, group, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// Gives a file one more name.
    ///
    /// The corresponding C function is `linkat`.
    public static func link(
        _ name: FileName,
        in directory: Int32,
        to newName: FileName,
        in newDirectory: Int32
    ) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try newName.withCString { newName throws(Errno) in
                try valueOrErrno { linkat(directory, name, newDirectory, newName, 0) }
            }
        }
    }

    /// Gives an open file one more name.
    ///
    /// - Throws: ``Errno/noSuchFile`` when it has none left.
    ///
    /// The corresponding C function is `linkat` with `AT_EMPTY_PATH`.
    public static func link(
        _ descriptor: Int32,
        to newName: FileName,
        in newDirectory: Int32
    ) throws(Errno) {
        _ = try newName.withCString { newName throws(Errno) in
            try valueOrErrno { linux_link_open(descriptor, newDirectory, newName) }
        }
    }

    /// Makes a file of any kind but a directory or a symbolic link.
    ///
    /// - Parameters:
    ///   - name: Not there yet.
    ///   - directory: Where it is made.
    ///   - mode: Kind and permission bits, from which the umask is taken off.
    ///   - device: Of a device, which.
    /// - Throws: ``Errno``.
    ///
    /// The corresponding C function is `mknodat`.
    public static func makeNode(
        _ name: FileName,
        in directory: Int32,
        mode: UInt32,
        device: UInt32
    ) throws(Errno) {
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { mknodat(directory, name, mode, dev_t(device)) }
        }
    }

    /// Where an open file is now, as an absolute path without symbolic links.
    ///
    /// - Throws: ``Errno``; `.nameTooLong` from 4096 bytes on.
    ///
    /// The corresponding C function is `readlink` on `/proc/self/fd/N`.
    public static func path(of descriptor: Int32) throws(Errno) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try valueOrErrno { readlink("/proc/self/fd/\(descriptor)", &path, path.count) }
        guard count < path.count else { throw .nameTooLong }
        return String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
