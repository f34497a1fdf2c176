internal import CLinux
internal import Glibc

/// A filesystem in memory that is never swapped out, mounted over a directory, for one user's eyes.
///
/// A ramfs: there on every kernel and in every user namespace that may mount, where tmpfs takes
/// `noswap` from Linux 6.4 on, and in no user namespace. Its size has no limit, but nobody else
/// writes to it. Whoever has it locks its root, so that it can be told from one that was left behind.
public final class MemoryFilesystem {
    private let root: OwnedDescriptor
    private let user: UInt32
    private let group: UInt32
    private var names: [FileName] = []
    /// The directories made for it, outermost first.
    private let made: [String]

    private static let flags = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC)
    private static let type = "ramfs"
    private static let source = "secure-init"

    /// Mounts; clears away what one who was killed has left there.
    ///
    /// - Parameters:
    ///   - path: Absolute; an empty directory, or none: then it is made, and removed again at the
    ///     end.
    ///   - user: Who alone may look into it.
    ///   - group: The files' group, which may not.
    /// - Throws: ``Errno``: `.notEmpty`; `.busy` where another's is in use there;
    ///   `.operationNotPermitted` and `.permissionDenied` where mounting is not allowed. Nothing is
    ///   left behind then.
    ///
    /// The corresponding C function is `mount`.
    public init(over path: String, user: UInt32, group: UInt32) throws(Errno) {
        self.user = user
        self.group = group
        var made: [String] = []
        do throws(Errno) {
            try Self.clearAbandoned(at: path)
            try Self.makeDirectories(path, &made)
            root = try Self.mount(over: path)
        } catch {
            Self.removeDirectories(made)
            throw error
        }
        self.made = made
        do throws(Errno) {
            try FileCall.lock(directory: root.rawValue)
            try give(root.rawValue, mode: 0o500)
        } catch {
            unmount()
            throw error
        }
    }

    /// Takes over what another process has mounted, to be closed.
    ///
    /// - Parameter root: Its root, open for reading.
    /// - Throws: ``Errno``; `.staleHandle` where it is none of ours.
    public init(takingOver root: consuming OwnedDescriptor) throws(Errno) {
        guard try Self.isOurs(root) else { throw .staleHandle }
        names = try Self.names(in: root.rawValue)
        self.root = root
        (user, group) = (geteuid(), getegid())
        made = []
    }

    /// Where it is; nil where that cannot be said, as when it is unmounted.
    public var path: String? {
        guard (try? Self.isOurs(root)) ?? false else { return nil }
        return try? FileCall.path(of: root.rawValue)
    }

    /// What has to stay open in this process until ``close()``.
    public var descriptor: Int32 { root.rawValue }

    /// Adds a file.
    ///
    /// - Throws: ``Errno``.
    public func add(_ name: FileName, _ contents: UnsafeRawBufferPointer) throws(Errno) {
        let file = try FileCall.open(
            name,
            in: root.rawValue,
            [.createNew, .writeOnly],
            mode: 0o400
        )
        names.append(name)
        try FileCall.write(file.rawValue, at: 0, contents)
        try give(file.rawValue, mode: 0o400)
        try file.close()
    }

    /// Makes the mount refuse every change, whoever wants it.
    ///
    /// - Throws: ``Errno``.
    public func makeReadOnly() throws(Errno) {
        try remount(Self.flags | UInt(MS_RDONLY))
    }

    /// Overwrites and removes every file, unmounts, and removes the directories that were made.
    ///
    /// What cannot be overwritten is freed all the same when the last reader closes it.
    public func close() {
        try? remount(Self.flags)
        for name in names { try? wipe(name) }
        names = []
        unmount()
    }

    private func unmount() {
        // Lazily: our own descriptor keeps it busy.
        umount2(Self.path(of: root.rawValue), Int32(MNT_DETACH))
        Self.removeDirectories(made)
    }

    private func wipe(_ name: FileName) throws(Errno) {
        let file = try FileCall.open(name, in: root.rawValue, .writeOnly)
        let size = try FileStatus(of: file.rawValue).size
        let zeros = [UInt8](repeating: 0, count: Int(size))
        try zeros.withUnsafeBufferPointer { zeros throws(Errno) in
            try FileCall.write(file.rawValue, at: 0, UnsafeRawBufferPointer(zeros))
        }
        try FileCall.unlink(name, in: root.rawValue)
    }

    private func remount(_ flags: UInt) throws(Errno) {
        let target = Self.path(of: root.rawValue)
        _ = try valueOrErrno {
            Glibc.mount(nil, target, nil, flags | UInt(MS_REMOUNT | MS_BIND), nil)
        }
    }

    private func give(_ file: Int32, mode: UInt32) throws(Errno) {
        try FileCall.setMode(file, mode)
        guard user != geteuid() || group != getegid() else { return }
        try FileCall.setOwner(file, user: user, group: group)
    }

    /// - Returns: The new filesystem's root.
    private static func mount(over path: String) throws(Errno) -> OwnedDescriptor {
        let directory = try open(path)
        guard try names(in: directory.rawValue).isEmpty else { throw .notEmpty }
        // By its descriptor: what the path leads to may be exchanged at any moment.
        let target = Self.path(of: directory.rawValue)
        _ = try valueOrErrno {
            Glibc.mount(source, target, type, flags, "mode=0500")
        }
        do throws(Errno) {
            let root = try open(path)
            guard linux_is_on_ramfs(root.rawValue) == 1,
                try FileStatus(of: root.rawValue).identity.device
                    != FileStatus(of: directory.rawValue).identity.device
            else { throw .staleHandle }
            return root
        } catch {
            umount2(path, Int32(UMOUNT_NOFOLLOW) | Int32(MNT_DETACH))
            throw error
        }
    }

    /// The last name must not be a symbolic link.
    private static func open(_ path: String) throws(Errno) -> OwnedDescriptor {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        return OwnedDescriptor(
            takingOwnershipOf: try valueOrErrno { linux_openat(AT_FDCWD, path, flags, 0) }
        )
    }

    private static func path(of descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    private static func names(in directory: Int32) throws(Errno) -> [FileName] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 8)
        defer { buffer.deallocate() }
        var names: [FileName] = []
        while true {
            let count = try FileCall.list(directory, into: buffer)
            guard count > 0 else { return names }
            var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            while let record = DirectoryRecord(rest) {
                // None for `.` and `..`.
                if let name = FileName(record.name) { names.append(name) }
                rest = UnsafeRawBufferPointer(rebasing: rest[record.count...])
            }
        }
    }

    /// Whether an open directory lies in a mount that this type has made.
    private static func isOurs(_ root: borrowing OwnedDescriptor) throws(Errno) -> Bool {
        guard linux_is_on_ramfs(root.rawValue) == 1 else { return false }
        let mount = try MountEntry(of: root)
        return mount.type == type && mount.source == source
    }

    /// Closes what is mounted there by us, unless somebody has it.
    ///
    /// - Throws: ``Errno/busy`` where somebody does.
    private static func clearAbandoned(at path: String) throws(Errno) {
        // Several starts that were killed may have left one on the other.
        for _ in 0..<16 {
            guard let root = try? open(path), try isOurs(root) else { return }
            do throws(Errno) {
                try FileCall.lock(directory: root.rawValue)
            } catch .wouldBlock {
                throw .busy
            }
            try MemoryFilesystem(takingOver: root).close()
        }
    }

    private static func makeDirectories(_ path: String, _ made: inout [String]) throws(Errno) {
        var built = ""
        for part in path.split(separator: "/") {
            built += "/\(part)"
            if mkdir(built, 0o755) == 0 {
                made.append(built)
                // Whatever our mask is, the user has to get through.
                chmod(built, 0o755)
            } else if Errno.current != .fileExists, access(built, F_OK) != 0 {
                throw Errno.current
            }
        }
    }

    private static func removeDirectories(_ made: [String]) {
        for path in made.reversed() { rmdir(path) }
    }
}
