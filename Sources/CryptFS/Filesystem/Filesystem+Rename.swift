internal import Linux
internal import Synchronization

// Renaming.
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
        // Two names of one file: POSIX has both stay.
        if let target, target.status.identity == entry.status.identity { return nil }
        var held: HeldNode<Format>?
        if let target {
            if target.kind == .directory, changesInPlace {
                // What is not a name of the volume may be left in it.
                try removeDirectory(target, in: newParent, newDirectory)
            } else {
                held = try holdOn(to: target, in: newDirectory)
            }
        }
        try move(entry, in: directory, to: newName, as: stored, in: newDirectory, mode)
        let newPlace = FileNode.Place(parent: newParent, name: stored)
        if let target { abandon(held, FileNode.Place(parent: newParent, name: target.name)) }
        if let node = table.find(entry.status.identity) {
            table.move(
                node,
                from: FileNode.Place(parent: parent, name: entry.name),
                to: newPlace
            )
        }
        // A file and a link of one name may be stored under two.
        if let target, target.name != stored {
            try FileCall.unlink(target.name, in: newDirectory.descriptor.rawValue)
        }
        return held
    }

    private func move(
        _ entry: StoredEntry,
        in directory: Format.Directory,
        to newName: [UInt8],
        as stored: FileName,
        in newDirectory: Format.Directory,
        _ mode: FileCall.RenameMode
    ) throws(Errno) {
        try record(newName, as: stored, in: newDirectory, from: directory) { () throws(Errno) in
            try FileCall.rename(
                entry.name,
                in: directory.descriptor.rawValue,
                to: stored,
                in: newDirectory.descriptor.rawValue,
                mode
            )
        }
        let isSameName = directory === newDirectory && entry.name == stored
        if !isSameName { format.dropName(entry.name, in: directory) }
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
        if entry.status.identity == target.status.identity { return }
        // Each takes the other's stored name, which only fits where both kinds are stored alike.
        guard try format.storedName(of: name, target.kind, in: directory) == entry.name else {
            throw .invalidArgument
        }
        // As in ``record(_:as:in:from:_:)``: either may have been synchronised.
        try format.synchronizeNames()
        try FileCall.rename(
            entry.name,
            in: directory.descriptor.rawValue,
            to: target.name,
            in: newDirectory.descriptor.rawValue,
            .exchange
        )
        let place = FileNode.Place(parent: parent, name: entry.name)
        let newPlace = FileNode.Place(parent: newParent, name: target.name)
        if let node = table.find(entry.status.identity) {
            table.move(node, from: place, to: newPlace)
        }
        if let node = table.find(target.status.identity) {
            table.move(node, from: newPlace, to: place)
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
}
