internal import CLinux
internal import Glibc

/// How much of a file the kernel asks for ahead of whoever reads it from first to last.
public enum ReadAhead {
    /// Sets it for one filesystem, for as long as that is mounted.
    ///
    /// Where `/sys` is read-only, as in most containers, by another sysfs that nobody else sees.
    ///
    /// - Parameters:
    ///   - kibibytes: For each open file; the kernel begins with 128.
    ///   - device: The filesystem's, see ``MountEntry/device``.
    /// - Throws: ``Errno``; `.operationNotPermitted` and `.permissionDenied` without the right to mount.
    ///
    /// Format: `read_ahead_kb` of `Documentation/ABI/testing/sysfs-class-bdi`.
    public static func set(_ kibibytes: Int, forDevice device: String) throws(Errno) {
        let file = try open("class/bdi/\(device)/read_ahead_kb")
        let text = Array("\(kibibytes)".utf8)
        try text.span.withUnsafeBytes { bytes throws(Errno) in
            try FileCall.write(file.rawValue, at: 0, bytes)
        }
    }

    private static func open(_ setting: String) throws(Errno) -> OwnedDescriptor {
        do throws(Errno) {
            // Whatever an image has there instead is not waited for.
            return try FileCall.open(path: "/sys/\(setting)", [.writeOnly, .nonBlocking])
        } catch {
            let sysfs = OwnedDescriptor(takingOwnershipOf: try valueOrErrno { linux_open_sysfs() })
            let root = sysfs.rawValue
            let file = try valueOrErrno { linux_openat(root, setting, O_WRONLY | O_CLOEXEC, 0) }
            return OwnedDescriptor(takingOwnershipOf: file)
        }
    }
}
