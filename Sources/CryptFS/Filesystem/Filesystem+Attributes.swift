internal import CFuse
internal import Linux

// Names looked up, attributes got and set.
extension Filesystem {
    func lookup(_ reply: consuming PendingReply, _ name: [UInt8], in parent: NodeID) {
        do throws(Errno) {
            let (node, status) = try namespace.withReading { () throws(Errno) in
                let parent = table.node(parent)
                let entry = try format.entry(named: name, in: try directory(of: parent))
                return (table.intern(entry, in: parent), entry.status)
            }
            answer(reply, node, status)
        } catch .noSuchFile {
            // Node 0: the kernel may remember that there is no such name.
            _ = reply.entry(
                cfuse_entry(node: 0, validity: validity, attributes: cfuse_attributes())
            )
        } catch {
            reply.fail(error)
        }
    }

    func forget(_ node: NodeID, count: UInt64, scratch: Scratch) {
        table.forget(table.node(node), count: count)
        // The kernel forgets many at once; their memory is worth giving back.
        scratch.isUsed = true
    }

    func getAttributes(_ reply: consuming PendingReply, of node: NodeID) {
        do throws(Errno) {
            let node = table.node(node)
            reply.attributes(attributes(of: node, try status(of: node)), validity: validity)
        } catch {
            reply.fail(error)
        }
    }

    func setAttributes(
        _ reply: consuming PendingReply,
        of node: NodeID,
        _ change: AttributeChange,
        scratch: Scratch
    ) {
        do throws(Errno) {
            try requireWritable()
            let node = table.node(node)
            if let size = change.size {
                try resize(node, to: size, storing: !change.isByHandle, scratch: scratch)
            }
            let status = try withMetadata(of: node) { file throws(Errno) in
                if change.user != nil || change.group != nil {
                    try file.setOwner(user: change.user, group: change.group)
                }
                if let mode = change.mode { try file.setMode(mode) }
                if change.dropsPrivilege, node.kind == .file {
                    try Self.dropPrivilege(file.descriptor)
                }
                if change.setsTimes {
                    try file.setTimes(accessed: change.accessed, modified: change.modified)
                    if change.modified != .unchanged { node.content?.timesWereSet() }
                }
                if let times = change.givenTimes {
                    return try FileStatus(
                        of: file.descriptor,
                        modified: times.modified,
                        changed: times.changed
                    )
                }
                return try FileStatus(of: file.descriptor)
            }
            reply.attributes(attributes(of: node, status), validity: validity)
        } catch {
            reply.fail(error)
        }
    }

    /// What the kernel below knows of a node's stored file.
    func status(of node: FileNode) throws(Errno) -> FileStatus {
        if let content = node.content {
            return try content.withMetadata { descriptor throws(Errno) in
                try FileStatus(of: descriptor)
            }
        }
        let status = try namespace.withReading { () throws(Errno) -> FileStatus? in
            if node === table.root {
                return try FileStatus(of: try directory(of: node).descriptor.rawValue)
            }
            guard let place = table.place(of: node) else { return nil }
            let parent = try directory(of: place.parent)
            return try FileStatus(in: parent.descriptor.rawValue, named: place.name)
        }
        if let status { return status }
        guard let orphan = table.orphan(of: node) else { throw .staleHandle }
        return try FileStatus(of: orphan.descriptor.rawValue)
    }

    /// Runs `body` with a node's stored file.
    func withMetadata<Result>(
        of node: FileNode,
        _ body: (StoredFile) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        // With the namespace held: a rewriting cannot take the old file's attributes over and
        // leave these behind.
        try namespace.withReading { () throws(Errno) in
            if let content = node.content {
                return try content.withMetadata { descriptor throws(Errno) in
                    try body(StoredFile(descriptor: descriptor, isPlaceOnly: false))
                }
            }
            if node === table.root {
                let root = try FileCall.reopen(
                    directory: try directory(of: node).descriptor.rawValue,
                    [.readOnly, .directory]
                )
                return try body(StoredFile(descriptor: root.rawValue, isPlaceOnly: false))
            }
            let isPlaceOnly = isStoredAsItself(node.kind)
            if let place = table.place(of: node) {
                let parent = try directory(of: place.parent)
                let descriptor = try FileCall.open(
                    place.name,
                    in: parent.descriptor.rawValue,
                    isPlaceOnly ? .placeOnly : [.readOnly, .nonBlocking]
                )
                return try body(
                    StoredFile(descriptor: descriptor.rawValue, isPlaceOnly: isPlaceOnly)
                )
            }
            guard let orphan = table.orphan(of: node) else { throw .staleHandle }
            return try body(
                StoredFile(descriptor: orphan.descriptor.rawValue, isPlaceOnly: isPlaceOnly)
            )
        }
    }

    /// Whether what is stored is a link or a special file itself, which cannot be opened for its
    /// attributes.
    func isStoredAsItself(_ kind: EntryKind) -> Bool {
        changesInPlace && (kind == .symbolicLink || kind == .special)
    }

    /// The answer to a lookup that found a node, which was counted for it.
    func answer(_ reply: consuming PendingReply, _ node: FileNode, _ status: FileStatus) {
        guard !reply.entry(entry(of: node, status)) else { return }
        table.forget(node, count: 1)
    }

    /// What is told of a node.
    func entry(of node: FileNode, _ status: FileStatus) -> cfuse_entry {
        cfuse_entry(
            node: table.id(of: node),
            validity: validity,
            attributes: attributes(of: node, status)
        )
    }

    /// What is told of a node's attributes.
    func attributes(of node: FileNode, _ status: FileStatus) -> cfuse_attributes {
        let size: UInt64
        var blocks = status.blocks
        var mode = status.mode & 0o7777
        switch node.kind {
        case .directory:
            size = status.size
            mode |= 0o040000
        case .symbolicLink:
            size = format.contentSize(of: status, .symbolicLink)
            mode = 0o120777
        case .special:
            size = 0
            mode = status.mode
        case .file:
            let content = changesInPlace ? nil : node.content
            size = content?.size ?? format.contentSize(of: status, .file)
            // What is not stored yet takes the room it will take.
            if content?.isDirty == true { blocks = (size + 511) / 512 }
            mode |= 0o100000
        }
        return cfuse_attributes(
            number: node.number,
            size: size,
            blocks: blocks,
            accessed_seconds: status.accessed.seconds,
            modified_seconds: status.modified.seconds,
            changed_seconds: status.changed.seconds,
            accessed_nanoseconds: UInt32(status.accessed.nanoseconds),
            modified_nanoseconds: UInt32(status.modified.nanoseconds),
            changed_nanoseconds: UInt32(status.changed.nanoseconds),
            mode: mode,
            links: UInt32(clamping: status.linkCount),
            user: status.user,
            group: status.group,
            device: node.kind == .special ? UInt32(truncatingIfNeeded: status.device) : 0,
            block_size: changesInPlace ? 4096 : 64 << 10
        )
    }
}
