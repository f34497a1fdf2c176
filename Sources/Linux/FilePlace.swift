internal import CLinux
internal import Glibc

/// Attributes of what is open as a place only (`O_PATH`): symbolic links, FIFOs, sockets, devices.
///
/// The kernel takes such a descriptor for neither `fchmod` nor `futimens`; its name in `/proc` leads
/// to the very file, and no further where that is a symbolic link.
public enum FilePlace {
    /// Sets the permission bits.
    ///
    /// - Throws: ``Errno/notSupported`` for a symbolic link.
    ///
    /// The corresponding C function is `fchmodat`.
    public static func setMode(_ descriptor: Int32, _ mode: UInt32) throws(Errno) {
        _ = try withPath(of: descriptor) { path throws(Errno) in
            try valueOrErrno { fchmodat(AT_FDCWD, path, mode, 0) }
        }
    }

    /// Changes the owner, the group, or both.
    ///
    /// The corresponding C function is `fchownat`.
    public static func setOwner(
        _ descriptor: Int32,
        user: UInt32?,
        group: UInt32?
    ) throws(Errno) {
        _ = try withPath(of: descriptor) { path throws(Errno) in
            try valueOrErrno { fchownat(AT_FDCWD, path, user ?? .max, group ?? .max, 0) }
        }
    }

    /// Sets the times.
    ///
    /// The corresponding C function is `utimensat`.
    public static func setTimes(
        _ descriptor: Int32,
        accessed: FileTime,
        modified: FileTime
    ) throws(Errno) {
        let times = [accessed.specification, modified.specification]
        _ = try withPath(of: descriptor) { path throws(Errno) in
            try valueOrErrno { utimensat(AT_FDCWD, path, times, 0) }
        }
    }

    private static func withPath<Result>(
        of descriptor: Int32,
        _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let path = Array("/proc/self/fd/\(descriptor)".utf8) + [0]
        return try path.withUnsafeBufferPointer { bytes throws(Errno) in
            try bytes.withMemoryRebound(to: CChar.self) { text throws(Errno) in
                // Never empty.
                guard let start = text.baseAddress else { throw .invalidArgument }
                return try body(start)
            }
        }
    }
}
