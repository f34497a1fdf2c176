internal import CFuse
internal import Linux

/// What a file system answers to the kernel.
///
/// Called from several threads at once, each with a ``Scratch`` of its own. A reference to one costs
/// no allocation, and a request one indirect call.
protocol RequestHandler: AnyObject, Sendable {
    /// A node as the kernel calls it; 1 is the root.
    typealias NodeID = UInt64

    /// Nobody else changes what is served.
    var isExclusive: Bool { get }

    /// Nothing is changed.
    var isReadOnly: Bool { get }

    /// Opening and closing a file means nothing; there are extended attributes.
    var changesInPlace: Bool { get }

    func lookup(_ reply: consuming PendingReply, _ name: [UInt8], in parent: NodeID)

    func forget(_ node: NodeID, count: UInt64, scratch: Scratch)

    func getAttributes(_ reply: consuming PendingReply, of node: NodeID)

    func setAttributes(
        _ reply: consuming PendingReply,
        of node: NodeID,
        _ change: AttributeChange,
        scratch: Scratch
    )

    func readLink(_ reply: consuming PendingReply, _ node: NodeID, scratch: Scratch)

    func makeNode(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        mode: UInt32,
        device: UInt32
    )

    func makeDirectory(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        mode: UInt32
    )

    func unlink(_ reply: consuming PendingReply, _ name: [UInt8], in parent: NodeID)

    func removeDirectory(_ reply: consuming PendingReply, _ name: [UInt8], in parent: NodeID)

    func symlink(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        to target: [UInt8],
        scratch: Scratch
    )

    func rename(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        to newName: [UInt8],
        in newParent: NodeID,
        flags: UInt32
    )

    func link(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        to newName: [UInt8],
        in newParent: NodeID
    )

    func open(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        flags: FileOpenFlags,
        scratch: Scratch
    )

    func create(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        mode: UInt32,
        flags: FileOpenFlags
    )

    func read(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        at offset: UInt64,
        count: Int,
        scratch: Scratch
    )

    func write(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        at offset: UInt64,
        _ bytes: UnsafeRawBufferPointer,
        dropsPrivilege: Bool,
        scratch: Scratch
    )

    func allocate(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        at offset: UInt64,
        count: UInt64,
        flags: Int32,
        scratch: Scratch
    )

    func seek(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        to target: FileCall.SeekTarget,
        from offset: UInt64
    )

    func setExtended(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        _ name: [UInt8],
        _ value: UnsafeRawBufferPointer,
        flags: Int32,
        scratch: Scratch
    )

    func getExtended(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        _ name: [UInt8],
        room: Int,
        scratch: Scratch
    )

    func listExtended(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        room: Int,
        scratch: Scratch
    )

    func removeExtended(_ reply: consuming PendingReply, _ node: NodeID, _ name: [UInt8])

    func flush(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        scratch: Scratch
    )

    func release(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        scratch: Scratch
    )

    func synchronize(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        dataOnly: Bool,
        scratch: Scratch
    )

    func openDirectory(_ reply: consuming PendingReply, _ node: NodeID)

    func readDirectory(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        from position: UInt64,
        count: Int,
        withAttributes: Bool,
        scratch: Scratch
    )

    func releaseDirectory(_ reply: consuming PendingReply, handle: UInt64)

    func synchronizeDirectory(_ reply: consuming PendingReply, handle: UInt64)

    func statistics(_ reply: consuming PendingReply)

    /// The mount is gone and no request comes any more: everything is to be stored.
    func finish(scratch: Scratch)
}

/// How a file is opened, as far as a file system has to know.
struct FileOpenFlags: Sendable {
    /// Writing is wanted.
    let isWritable: Bool

    /// The content is dropped: `O_TRUNC`.
    let truncates: Bool
}

/// Which attributes are to be set, and to what.
struct AttributeChange: Sendable {
    var mode: UInt32?
    var user: UInt32?
    var group: UInt32?
    var size: UInt64?
    var accessed: FileTime = .unchanged
    var modified: FileTime = .unchanged

    /// When the kernel, which collects writes, says that the file was changed; it sets no time itself.
    var changed: FileTime?

    /// On an open file rather than a path.
    var isByHandle = false

    /// Set-user-ID and set-group-ID go with it.
    var dropsPrivilege = false

    /// The file's times once they are set, where the kernel has given both and sets nothing else.
    ///
    /// It does so after a write, before each `fsync` of a database.
    var givenTimes: (modified: FileTime, changed: FileTime)? {
        guard let changed, modified != .unchanged, modified != .now, mode == nil, user == nil,
            group == nil, size == nil, !dropsPrivilege
        else { return nil }
        return (modified, changed)
    }

    /// Whether any of the times is set.
    var setsTimes: Bool { accessed != .unchanged || modified != .unchanged }
}
