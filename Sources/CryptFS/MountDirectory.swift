internal import Glibc
internal import Linux
internal import Synchronization

/// A directory that is held open, and the mount that is made over it.
///
/// The names that led to it may be exchanged at any moment; what was opened stays what it is. And while
/// something is mounted over it the kernel lets nobody of this mount namespace rename or remove the
/// directory itself (`is_local_mountpoint` in `fs/namei.c`), so that `..` and its own name lead to the
/// mount, whatever is exchanged further up.
final class MountDirectory: Sendable {
    private let place: OwnedDescriptor

    /// The kernel's number of the mount; -1 before there is one.
    ///
    /// Not a descriptor: that would keep the mount busy.
    private let mount = Atomic<Int>(-1)

    /// Opens what a path leads to.
    ///
    /// - Throws: ``Errno/notDirectory`` for anything else; what `open` left.
    init(_ path: String) throws(Errno) {
        place = try FileCall.open(path: path, [.placeOnly, .directory])
    }

    /// Takes over what another process opened.
    init(takingOver place: consuming OwnedDescriptor) {
        self.place = place
    }

    /// Open as long as this lives.
    var descriptor: Int32 { place.rawValue }

    /// Where it is now, as an absolute path without symbolic links.
    func path() throws(Errno) -> String { try FileCall.path(of: place.rawValue) }

    /// What mount(2) takes: leads to the directory itself, not to what is mounted over it.
    var target: String { Self.path(of: place) }

    /// Whether it has nothing in it.
    func isEmpty() throws(Errno) -> Bool {
        let directory = try FileCall.reopen(directory: place.rawValue, [.readOnly, .directory])
        return try !DirectoryScan.contains(directory.rawValue) { _ in true }
    }

    /// Remembers what has just been mounted over it.
    ///
    /// - Parameter path: By which others look for the mount.
    /// - Returns: Whether they find it.
    /// - Throws: Where it is not to be found in its own place either.
    func noteMount(reachedBy path: String) throws(Errno) -> Bool {
        try awaitRenames()
        let number = try MountEntry.number(of: openTop())
        mount.store(number, ordering: .releasing)
        let found = try FileCall.open(path: path, [.placeOnly, .directory])
        return try MountEntry.number(of: found) == number
    }

    /// The number of the filesystem that lies over it, see ``MountEntry/device``.
    func device() throws(Errno) -> String { try MountEntry(of: openTop()).device }

    /// Unmounts.
    ///
    /// - Throws: ``Errno/busy`` while it is used, or something lies over it;
    ///   ``Errno/invalidArgument`` where it is gone.
    ///
    /// The corresponding C function is `umount2`.
    func unmount() throws(Errno) {
        switch try MountEntry.number(of: openTop()) {
        case mount.load(ordering: .acquiring): break
        case try MountEntry.number(of: place): throw .invalidArgument
        default: throw .busy
        }
        let parent = try openParent()
        let name = try ownName()
        _ = try valueOrErrno {
            umount2("\(Self.path(of: parent))/\(name)", Int32(UMOUNT_NOFOLLOW))
        }
    }

    /// Detaches it, and what lies over it.
    ///
    /// - Throws: ``Errno/invalidArgument`` where it is gone.
    ///
    /// The corresponding C function is `umount2` with `MNT_DETACH`.
    func detach() throws(Errno) {
        // Each may have another over it by now, but who can mount is not kept waiting for.
        for _ in 0..<16 {
            let top = try openTop()
            let number = try MountEntry.number(of: top)
            guard try number != MountEntry.number(of: place) else { throw .invalidArgument }
            try Self.detach(top)
            if number == mount.load(ordering: .acquiring) { return }
        }
        throw .busy
    }

    /// What lies over it.
    enum Cover {
        /// Nothing, or what is not of the type that was asked for.
        case other
        /// A filesystem that answers.
        case served
        /// A filesystem that nobody serves any more, which is detached by now.
        case abandoned
    }

    /// Detaches what lies over it, if it is of a type and nobody serves it any more.
    ///
    /// Waits for the answer, if there is somebody who could give it.
    ///
    /// - Throws: ``Errno``.
    func detachAbandoned(ofType type: String) throws(Errno) -> Cover {
        let top = try openTop()
        let entry = try MountEntry(of: top)
        guard entry.type == type, try entry.number != MountEntry.number(of: place) else {
            return .other
        }
        guard Self.isAbandoned(top) else { return .served }
        try Self.detach(top)
        return .abandoned
    }

    /// Whether a filesystem whose root is open says that nobody serves it.
    static func isAbandoned(_ root: borrowing OwnedDescriptor) -> Bool {
        // Not stat, which the kernel answers from what it remembers of a dead mount.
        var statistics = statvfs()
        let descriptor = root.rawValue
        do throws(Errno) {
            _ = try valueOrErrno { fstatvfs(descriptor, &statistics) }
            return false
        } catch {
            return error == .notConnected || error == .connectionAborted
        }
    }

    /// Detaches a mount whose root is open.
    static func detach(_ root: borrowing OwnedDescriptor) throws(Errno) {
        let target = path(of: root)
        _ = try valueOrErrno { umount2(target, Int32(MNT_DETACH)) }
    }

    /// Waits for a rename that began before the mount was there, and so is not refused.
    ///
    /// It holds its directory's lock, which looking up a name takes that nobody has looked for yet.
    private func awaitRenames() throws(Errno) {
        let name = ".secure-store-\(UInt64.random(in: 0 ... .max))"
        guard let name = FileName(Array(name.utf8)) else { throw .invalidArgument }
        let parent = try openParent()
        do throws(Errno) {
            _ = try FileCall.open(name, in: parent.rawValue, [.placeOnly])
        } catch .noSuchFile {
            return
        }
    }

    /// The root of what is mounted over it, or else the directory.
    private func openTop() throws(Errno) -> OwnedDescriptor {
        guard let name = FileName(Array(try ownName().utf8)) else { throw .invalidArgument }
        let parent = try openParent()
        return try FileCall.open(name, in: parent.rawValue, [.placeOnly, .directory])
    }

    private func openParent() throws(Errno) -> OwnedDescriptor {
        try FileCall.open(path: "\(target)/..", [.placeOnly, .directory])
    }

    private func ownName() throws(Errno) -> Substring {
        guard let name = try path().split(separator: "/").last else { throw .busy }
        return name
    }

    private static func path(of descriptor: borrowing OwnedDescriptor) -> String {
        "/proc/self/fd/\(descriptor.rawValue)"
    }
}
