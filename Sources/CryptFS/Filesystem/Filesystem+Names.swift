internal import CFuse
internal import Glibc
internal import Linux
internal import Synchronization

// What makes, moves and removes names. The kernel holds both directories' locks meanwhile: no other
// lookup or change of a name there is under way, only storing of contents is.
extension Filesystem {
    func create(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        mode: UInt32,
        flags: FileOpenFlags
    ) {
        do throws(Errno) {
            let parent = table.node(parent)
            let (node, status) = try makeFile(
                name,
                in: parent,
                try ownership(mode: mode, for: reply, in: parent)
            )
            let handle: UInt64 = flags.isWritable ? 1 : 0
            guard !reply.created(entry(of: node, status), handle: handle, pages: .keep) else {
                return
            }
            node.handles.withLock { $0 -= 1 }
            table.forget(node, count: 1)
        } catch {
            reply.fail(error)
        }
    }

    func makeNode(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        mode: UInt32,
        device: UInt32
    ) {
        do throws(Errno) {
            let type = mode & S_IFMT
            let parent = table.node(parent)
            guard type == S_IFREG || type == 0 else {
                // Devices, FIFOs and sockets have no form in every storage.
                guard changesInPlace else { throw .operationNotPermitted }
                let ownership = try ownership(mode: mode, for: reply, in: parent)
                let (node, status) = try make(name, .special, in: parent) {
                    stored,
                    directory throws(Errno) in
                    try format.makeSpecial(
                        named: stored,
                        in: directory,
                        type: type,
                        device: device,
                        ownership
                    )
                }
                answer(reply, node, status)
                return
            }
            let (node, status) = try makeFile(
                name,
                in: parent,
                try ownership(mode: mode, for: reply, in: parent)
            )
            node.handles.withLock { handles in
                handles -= 1
                if handles == 0, !changesInPlace { node.content = nil }
            }
            answer(reply, node, status)
        } catch {
            reply.fail(error)
        }
    }

    func makeDirectory(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        mode: UInt32
    ) {
        do throws(Errno) {
            let parent = table.node(parent)
            let ownership = try ownership(mode: mode, for: reply, in: parent, isDirectory: true)
            let (node, status) = try make(name, .directory, in: parent) {
                stored,
                directory throws(Errno) in
                try format.makeDirectory(named: stored, in: directory, ownership)
            }
            answer(reply, node, status)
        } catch {
            reply.fail(error)
        }
    }

    func symlink(
        _ reply: consuming PendingReply,
        _ name: [UInt8],
        in parent: NodeID,
        to target: [UInt8],
        scratch: Scratch
    ) {
        do throws(Errno) {
            let parent = table.node(parent)
            let ownership = try ownership(mode: 0o644, for: reply, in: parent)
            let (node, status) = try make(name, .symbolicLink, in: parent) {
                stored,
                directory throws(Errno) in
                try format.makeLink(
                    named: stored,
                    in: directory,
                    to: target,
                    ownership,
                    scratch: scratch
                )
            }
            answer(reply, node, status)
        } catch {
            reply.fail(error)
        }
    }

    func readLink(_ reply: consuming PendingReply, _ node: NodeID, scratch: Scratch) {
        do throws(Errno) {
            let target = try namespace.withReading { () throws(Errno) in
                let node = table.node(node)
                guard let place = table.place(of: node) else { throw .staleHandle }
                return try format.linkTarget(
                    of: place.name,
                    in: try directory(of: place.parent),
                    scratch: scratch
                )
            }
            reply.link(target)
        } catch {
            reply.fail(error)
        }
    }

    private func makeFile(
        _ name: [UInt8],
        in parent: FileNode,
        _ ownership: Ownership
    ) throws(Errno) -> (FileNode, FileStatus) {
        var content: Format.Content?
        let (node, status) = try make(name, .file, in: parent) {
            stored,
            directory throws(Errno) in
            content = try format.createContent(named: stored, in: directory, ownership)
        }
        if let content { adopt(content, as: node) }
        return (node, status)
    }

    /// Makes something under a name and looks it up.
    private func make(
        _ name: [UInt8],
        _ kind: EntryKind,
        in parent: FileNode,
        _ body: (FileName, Format.Directory) throws(Errno) -> Void
    ) throws(Errno) -> (FileNode, FileStatus) {
        try requireWritable()
        return try namespace.withReading { () throws(Errno) in
            let directory = try directory(of: parent)
            let stored = try format.storedName(of: name, kind, in: directory)
            try record(name, as: stored, in: directory) { () throws(Errno) in
                try body(stored, directory)
            }
            let status = try FileStatus(in: directory.descriptor.rawValue, named: stored)
            let entry = StoredEntry(name: stored, kind: kind, status: status)
            return (table.intern(entry, in: parent), status)
        }
    }

    /// Gives something a name with what the format keeps of the name besides.
    ///
    /// What is there already may have been synchronised, and a loss of power leaves names earlier than
    /// content: so what its new name depends on is on the disk before it gets it.
    ///
    /// - Parameters:
    ///   - name: The new name.
    ///   - stored: How it is stored.
    ///   - directory: Where.
    ///   - former: The directory where something that is there already has its name so far; nil for
    ///     something new.
    ///   - body: Gives the name.
    /// - Throws: What failed; then nothing has changed.
    func record(
        _ name: [UInt8],
        as stored: FileName,
        in directory: Format.Directory,
        from former: Format.Directory? = nil,
        _ body: () throws(Errno) -> Void
    ) throws(Errno) {
        let isRecorded = try format.recordName(name, as: stored, in: directory)
        do throws(Errno) {
            if let former, isRecorded || former !== directory { try format.synchronizeNames() }
            try body()
        } catch {
            // What is called that already keeps it.
            if error != .fileExists { format.dropName(stored, in: directory) }
            throw error
        }
    }

    /// Whom something new belongs to: who asks, or in a directory with the set-group-ID bit its
    /// group.
    private func ownership(
        mode: UInt32,
        for reply: borrowing PendingReply,
        in parent: FileNode,
        isDirectory: Bool = false
    ) throws(Errno) -> Ownership {
        let directory = try status(of: parent)
        let isInherited = directory.mode & S_ISGID != 0
        let hasDefaultList = try hasDefaultList(parent)
        let masked = hasDefaultList ? mode : mode & ~reply.mask
        return Ownership(
            user: reply.user,
            group: isInherited ? directory.group : reply.group,
            mode: masked & 0o7777 | (isInherited && isDirectory ? S_ISGID : 0),
            isInherited: hasDefaultList
        )
    }
}
