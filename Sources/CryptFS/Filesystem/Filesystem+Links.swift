internal import CFuse
internal import Linux
internal import Synchronization

// Further names for a file, and removing names.
extension Filesystem {
    func link(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        to newName: [UInt8],
        in newParent: NodeID
    ) {
        do throws(Errno) {
            try requireWritable()
            // Two names for one stored file would not both survive a rewriting of it.
            guard changesInPlace else { throw .operationNotPermitted }
            let node = table.node(node)
            let status = try namespace.withWriting { () throws(Errno) in
                try link(node, to: newName, in: table.node(newParent))
            }
            answer(reply, node, status)
        } catch {
            reply.fail(error)
        }
    }

    private func link(
        _ node: FileNode,
        to newName: [UInt8],
        in newParent: FileNode
    ) throws(Errno) -> FileStatus {
        let directory = try directory(of: newParent)
        let stored = try format.storedName(of: newName, node.kind, in: directory)
        let target = directory.descriptor.rawValue
        let place = table.place(of: node)
        let parent = try place.map { place throws(Errno) in try self.directory(of: place.parent) }
        try record(newName, as: stored, in: directory, from: parent) { () throws(Errno) in
            if let place, let parent {
                try FileCall.link(
                    place.name,
                    in: parent.descriptor.rawValue,
                    to: stored,
                    in: target
                )
            } else if let orphan = table.orphan(of: node) {
                try FileCall.link(orphan.descriptor.rawValue, to: stored, in: target)
            } else {
                throw .staleHandle
            }
        }
        let status = try FileStatus(in: target, named: stored)
        // Counts it as looked up, under the node's own identity.
        _ = table.intern(
            StoredEntry(name: stored, kind: node.kind, status: status),
            in: newParent
        )
        return status
    }

    func unlink(_ reply: consuming PendingReply, _ name: [UInt8], in parent: NodeID) {
        do throws(Errno) {
            try requireWritable()
            let removed = try namespace.withWriting { () throws(Errno) in
                let parent = table.node(parent)
                let directory = try directory(of: parent)
                let entry = try format.entry(named: name, in: directory)
                guard entry.kind != .directory else { throw .isDirectory }
                let held = try holdOn(to: entry, in: directory)
                try FileCall.unlink(entry.name, in: directory.descriptor.rawValue)
                abandon(held, Node.Place(parent: parent, name: entry.name))
                format.dropName(entry.name, in: directory)
                return held
            }
            dropUnstorableContent(of: removed)
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    func removeDirectory(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID
    ) {
        do throws(Errno) {
            try requireWritable()
            try namespace.withWriting { () throws(Errno) in
                let parent = table.node(parent)
                let directory = try directory(of: parent)
                let entry = try format.entry(named: name, in: directory)
                guard entry.kind == .directory else { throw .notDirectory }
                try removeDirectory(entry, in: parent, directory)
            }
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    /// Removes an empty directory, with `namespace` written.
    func removeDirectory(
        _ entry: StoredEntry,
        in parent: FileNode,
        _ directory: Format.Directory
    ) throws(Errno) {
        let held = try holdOn(to: entry, in: directory)
        try format.removeDirectory(named: entry.name, in: directory)
        abandon(held, Node.Place(parent: parent, name: entry.name))
        format.dropName(entry.name, in: directory)
    }

    /// Opens what is about to lose a name, if the kernel knows it: it can still be asked about.
    func holdOn(
        to entry: StoredEntry,
        in directory: Format.Directory
    ) throws(Errno) -> HeldNode<Format>? {
        guard let node = table.find(entry.status.identity) else { return nil }
        let descriptor: OwnedDescriptor
        switch entry.kind {
        case .file:
            descriptor = try openStoredFile(entry.name, in: directory)
        case .symbolicLink, .special, .directory:
            let flags: FileCall.OpenFlags =
                entry.kind == .directory
                ? [.readOnly, .directory]
                : isStoredAsItself(entry.kind) ? .placeOnly : [.readOnly, .nonBlocking]
            descriptor = try FileCall.open(
                entry.name,
                in: directory.descriptor.rawValue,
                flags
            )
        }
        return HeldNode(
            node: node,
            file: HeldFile(descriptor, name: entry.name),
            isLastName: entry.kind == .directory || entry.status.linkCount <= 1
        )
    }

    /// Takes a name from a node, with `namespace` written.
    ///
    /// With the last, the node becomes an orphan: from here on no storing of its content can touch
    /// what bears the name now.
    func abandon(_ held: HeldNode<Format>?, _ place: FileNode.Place) {
        guard let held else { return }
        guard held.isLastName else {
            if !table.remove(place, from: held.node) {
                table.hold(held.node, by: held.file)
            }
            return
        }
        table.orphan(held.node, keeping: held.file)
        directories.drop(held.node)
    }

    /// Lets go of content that was kept because it could not be stored and now has no name.
    ///
    /// Without `namespace`, which is taken after a node's own lock.
    func dropUnstorableContent(of held: HeldNode<Format>?) {
        guard let node = held?.node, !changesInPlace else { return }
        node.handles.withLock { handles in
            if handles == 0 { node.content = nil }
        }
    }
}

/// A node about to lose a name, and what keeps its stored file.
struct HeldNode<Format: StorageFormat> {
    let node: Node<Format>
    let file: HeldFile

    /// Whether it has no other name.
    let isLastName: Bool
}
