internal import Glibc
public import Linux

/// A directory where a volume is, or is to be, mounted: with mount(2) itself, so that no
/// `fusermount` is needed.
///
/// It is opened once: what was found empty is what is mounted over, whatever its names lead to by then.
public struct MountPoint: Sendable {
    /// The directory, as an absolute path without symbolic links.
    public let path: String

    /// As it was given, which is how the command looks for it.
    private let givenPath: String

    private let directory: MountDirectory

    /// What has to stay open in this process until it is unmounted.
    public var descriptor: Int32 { directory.descriptor }

    /// Makes a directory ready to be mounted on.
    ///
    /// Creates what is missing, detaches what a crashed worker left mounted.
    ///
    /// - Parameters:
    ///   - path: The directory.
    ///   - storage: The volume's storage, which must not lie in it nor the reverse.
    /// - Throws: ``VolumeError/mountPointNotEmpty(path:)``,
    ///   ``VolumeError/nested(mountPoint:storage:)``, ``VolumeError/notADirectory(path:)``,
    ///   ``VolumeError/system(operation:path:_:)``.
    public init(preparing path: String, storage: String) throws(VolumeError) {
        try Self.detachStaleMount(at: path)
        try Self.makeDirectories(path)
        let directory = try Self.hold(path)
        guard try describing("list", path, directory.isEmpty) else {
            throw .mountPointNotEmpty(path: path)
        }
        self.path = try describing("resolve", path, directory.path)
        givenPath = path
        self.directory = directory
        try Self.requireSeparate(self.path, path, storage)
    }

    /// Opens the device that a mount is served through.
    ///
    /// - Throws: ``VolumeError/deviceUnavailable(_:)``.
    public static func openDevice() throws(VolumeError) -> OwnedDescriptor {
        do throws(Errno) {
            return try FileCall.open(path: "/dev/fuse", .readWrite)
        } catch {
            throw .deviceUnavailable(error)
        }
    }

    /// Mounts.
    ///
    /// - Parameters:
    ///   - device: Whoever serves it reads from the same open file.
    ///   - readOnly: The kernel refuses changes.
    /// - Throws: ``VolumeError/mountNotPermitted(path:_:)``,
    ///   ``VolumeError/mountPointExchanged(path:)``, ``VolumeError/system(operation:path:_:)``.
    ///   Nothing is mounted then.
    ///
    /// The corresponding C function is `mount`.
    public func mount(
        device: borrowing OwnedDescriptor,
        readOnly: Bool
    ) throws(VolumeError) {
        // Whoever may use a file is decided by its owner and mode, by the kernel, for all users.
        let options =
            "fd=\(device.rawValue),rootmode=40000,user_id=0,group_id=0,allow_other,"
            + "default_permissions,max_read=\(Scratch.readLimit)"
        var flags = UInt(MS_NOSUID | MS_NODEV)
        if readOnly { flags |= UInt(MS_RDONLY) }
        let target = directory.target
        do throws(Errno) {
            _ = try valueOrErrno {
                Glibc.mount("secure-store", target, AbandonedView.type, flags, options)
            }
        } catch  where error == .operationNotPermitted || error == .permissionDenied {
            throw .mountNotPermitted(path: path, error)
        } catch {
            throw .system(operation: "mount", path: path, error)
        }
        guard (try? directory.noteMount(reachedBy: givenPath)) ?? false else {
            try? directory.detach()
            throw .mountPointExchanged(path: givenPath)
        }
    }

    /// How far ahead of a reader the kernel asks for a file, in KiB: several requests at once.
    private static let readAhead = 1024

    /// Has the kernel read further ahead than the 128 KiB of every new mount; once this one answers.
    ///
    /// Earlier, the kernel would take it back when it is told what the worker can do.
    ///
    /// - Throws: ``VolumeError/system(operation:path:_:)``: it goes on with what it does by itself.
    public func widenReadAhead() throws(VolumeError) {
        try describing("set the read-ahead of", path) { () throws(Errno) in
            try ReadAhead.set(Self.readAhead, forDevice: directory.device())
        }
    }

    /// Unmounts.
    ///
    /// - Parameter lazily: Detach it although somebody uses it: it is gone for everybody else at
    ///   once, and ends when the last user is done.
    /// - Throws: ``VolumeError/system(operation:path:_:)``, with `EBUSY` while it is in use.
    public func unmount(lazily: Bool) throws(VolumeError) {
        try describing("unmount", path) { () throws(Errno) in
            if lazily { try directory.detach() } else { try directory.unmount() }
        }
    }

    /// A mount whose worker is gone answers everything with `ENOTCONN`.
    private static func detachStaleMount(at path: String) throws(VolumeError) {
        // A crash may have left several, one on the other.
        for _ in 0..<16 {
            guard let root = try? FileCall.open(path: path, [.placeOnly, .directory]) else {
                return
            }
            guard MountDirectory.isAbandoned(root) else { return }
            try describing("unmount", path) { () throws(Errno) in
                try MountDirectory.detach(root)
            }
        }
    }

    private static func makeDirectories(_ path: String) throws(VolumeError) {
        var built = ""
        for (index, part) in path.split(separator: "/", omittingEmptySubsequences: false)
            .enumerated()
        {
            built += (index == 0 ? "" : "/") + part
            if built.isEmpty || part.isEmpty { continue }
            guard mkdir(built, 0o755) == -1 else { continue }
            let errno = Errno.current
            guard errno != .fileExists else { continue }
            // A directory above may be there and not ours to make one in.
            if (try? FileStatus(path: built)) != nil { continue }
            throw .system(operation: "mkdir", path: built, errno)
        }
    }

    private static func hold(_ path: String) throws(VolumeError) -> MountDirectory {
        do throws(Errno) {
            return try MountDirectory(path)
        } catch .notDirectory {
            throw .notADirectory(path: path)
        } catch {
            throw .system(operation: "open", path: path, error)
        }
    }

    private static func requireSeparate(
        _ resolvedPath: String,
        _ path: String,
        _ storage: String
    ) throws(VolumeError) {
        // A storage that is yet to be made cannot have anything in it, but may lie in the mount.
        guard let resolvedStorage = try? resolvedOrParent(storage) else { return }
        let mountPoint = resolvedPath + "/"
        let storagePath = resolvedStorage + "/"
        guard !mountPoint.hasPrefix(storagePath), !storagePath.hasPrefix(mountPoint) else {
            throw .nested(mountPoint: path, storage: storage)
        }
    }

    private static func resolvedOrParent(_ path: String) throws(VolumeError) -> String {
        if let resolved = try? resolved(path) { return resolved }
        let trimmed = String(path.reversed().drop { $0 == "/" }.reversed())
        let name = trimmed.split(separator: "/").last.map(String.init) ?? ""
        let parent = String(trimmed.dropLast(name.count))
        return try resolved(parent.isEmpty ? "." : parent) + "/" + name
    }

    private static func resolved(_ path: String) throws(VolumeError) -> String {
        guard let resolved = realpath(path, nil) else {
            throw .system(operation: "resolve", path: path, Errno.current)
        }
        defer { free(resolved) }
        let text = String(cString: resolved)
        return text == "/" ? "" : text
    }
}
