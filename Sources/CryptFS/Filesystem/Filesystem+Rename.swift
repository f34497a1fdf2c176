internal import Linux
internal import Synchronization

/// A node about to lose its name, and what keeps its stored file.
struct HeldNode<Format: StorageFormat> {
    let node: Node<Format>
    let file: HeldFile
}

// Renaming, and what happens to what loses its name.
extension Filesystem {
    func rename(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        to newName: [UInt8],
        in newParent: NodeID,
        flags: UInt32
    ) {
        do throws(Errno) {
            try requireWritable()
            guard let mode = FileCall.RenameMode(rawValue: flags) else {
                throw .invalidArgument
            }
            let replaced = try namespace.withWriting { () throws(Errno) in
                try rename(
                    name,
                    in: table.node(parent),
                    to: newName,
                    in: table.node(newParent),
                    mode
                )
            }
            dropUnstorableContent(of: replaced)
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    /// Renames with `namespace` written.
    ///
    /// - Returns: What was replaced, where the kernel knows it.
    /// - Throws: What the kernel failed with.
    private func rename(
        _ name: [UInt8],
        in parent: FileNode,
        to newName: [UInt8],
        in newParent: FileNode,
        _ mode: FileCall.RenameMode
    ) throws(Errno) -> HeldNode<Format>? {
        let directory = try directory(of: parent)
        let newDirectory = try self.directory(of: newParent)
        let entry = try format.entry(named: name, in: directory)
        let stored = try format.storedName(of: newName, entry.kind, in: newDirectory)
        let target = try existingEntry(newName, in: newDirectory)
        if mode == .exchange {
            guard let target else { throw .noSuchFile }
            try exchange(entry, in: parent, name, with: target, in: newParent)
            return nil
        }
        if target != nil, mode == .keepExisting { throw .fileExists }
        var held: HeldNode<Format>?
        if let target { held = try holdOn(to: target, in: newDirectory) }
        try FileCall.rename(
            entry.name,
            in: directory.descriptor.rawValue,
            to: stored,
            in: newDirectory.descriptor.rawValue,
            mode
        )
        abandon(held)
        if let node = table.find(entry.status.identity) {
            table.move(node, to: FileNode.Place(parent: newParent, name: stored))
        }
        // A file and a link of one name are stored under two.
        if let target, target.name != stored {
            try FileCall.unlink(target.name, in: newDirectory.descriptor.rawValue)
        }
        return held
    }

    private func exchange(
        _ entry: StoredEntry,
        in parent: FileNode,
        _ name: [UInt8],
        with target: StoredEntry,
        in newParent: FileNode
    ) throws(Errno) {
        let directory = try directory(of: parent)
        let newDirectory = try self.directory(of: newParent)
        // Each takes the other's stored name, which only fits where both kinds are stored alike.
        guard try format.storedName(of: name, target.kind, in: directory) == entry.name else {
            throw .invalidArgument
        }
        try FileCall.rename(
            entry.name,
            in: directory.descriptor.rawValue,
            to: target.name,
            in: newDirectory.descriptor.rawValue,
            .exchange
        )
        if let node = table.find(entry.status.identity) {
            table.move(node, to: FileNode.Place(parent: newParent, name: target.name))
        }
        if let node = table.find(target.status.identity) {
            table.move(node, to: FileNode.Place(parent: parent, name: entry.name))
        }
    }

    private func existingEntry(
        _ name: [UInt8],
        in directory: Format.Directory
    ) throws(Errno) -> StoredEntry? {
        do throws(Errno) {
            return try format.entry(named: name, in: directory)
        } catch .noSuchFile {
            return nil
        }
    }

    /// Opens what is about to lose its name, if the kernel knows it: it can still be asked about.
    func holdOn(
        to entry: StoredEntry,
        in directory: Format.Directory
    ) throws(Errno) -> HeldNode<Format>? {
        guard let node = table.find(entry.status.identity) else { return nil }
        let flags: FileCall.OpenFlags =
            entry.kind == .directory ? [.readOnly, .directory] : [.readOnly, .nonBlocking]
        let descriptor = try FileCall.open(
            entry.name,
            in: directory.descriptor.rawValue,
            flags
        )
        return HeldNode(node: node, file: HeldFile(descriptor, name: entry.name))
    }

    /// Makes a node an orphan that has lost its name, with `namespace` written: from here on no
    /// storing of its content can touch what bears the name now.
    func abandon(_ held: HeldNode<Format>?) {
        guard let held else { return }
        table.orphan(held.node, keeping: held.file)
        directories.drop(held.node)
    }

    /// Lets go of content that was kept because it could not be stored and now has no name.
    ///
    /// Without `namespace`, which is taken after a node's own lock.
    func dropUnstorableContent(of held: HeldNode<Format>?) {
        guard let node = held?.node else { return }
        node.handles.withLock { handles in
            if handles == 0 { node.content = nil }
        }
    }
}
