internal import CFuse
internal import Glibc
internal import Linux
internal import Synchronization

// Files: opening, reading, writing, storing.
extension Filesystem {
    func open(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        flags: FileOpenFlags,
        scratch: Scratch
    ) {
        do throws(Errno) {
            if flags.isWritable || flags.truncates { try requireWritable() }
            let node = table.node(node)
            let content = try openContent(of: node)
            if flags.truncates {
                do throws(Errno) {
                    try content.truncate(to: 0, scratch: scratch)
                } catch {
                    closeContent(of: node, scratch: scratch)
                    throw error
                }
            }
            let handle: UInt64 = flags.isWritable ? 1 : 0
            let pages: PageUse = isExclusive ? .keep : []
            guard !reply.opened(handle: handle, pages: pages) else { return }
            closeContent(of: node, scratch: scratch)
        } catch {
            reply.fail(error)
        }
    }

    func read(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        at offset: UInt64,
        count: Int,
        scratch: Scratch
    ) {
        do throws(Errno) {
            let content = try content(of: table.node(node))
            let count = min(count, Scratch.requestLimit)
            reply.data(try content.read(at: offset, count: count, scratch: scratch))
        } catch {
            reply.fail(error)
        }
    }

    func write(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        at offset: UInt64,
        _ bytes: UnsafeRawBufferPointer,
        dropsPrivilege: Bool,
        scratch: Scratch
    ) {
        do throws(Errno) {
            let node = table.node(node)
            let content = try content(of: node)
            try changeContent(of: node) { content throws(Errno) in
                if dropsPrivilege { try content.withMetadata(Self.dropPrivilege) }
                try content.write(bytes, at: offset, scratch: scratch)
            }
            reply.written(bytes.count)
            content.wasWritten(at: offset, count: bytes.count)
        } catch {
            reply.fail(error)
        }
    }

    func flush(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        scratch: Scratch
    ) {
        do throws(Errno) {
            let node = table.node(node)
            if handle == 1, let content = node.content, content.isDirty {
                try store(content, of: node, durably: false, scratch: scratch)
            }
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    func release(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        scratch: Scratch
    ) {
        closeContent(of: table.node(node), scratch: scratch)
        reply.succeed()
    }

    func synchronize(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        dataOnly: Bool,
        scratch: Scratch
    ) {
        do throws(Errno) {
            let node = table.node(node)
            if changesInPlace {
                try content(of: node).synchronize(dataOnly: dataOnly)
                try format.synchronizeNames()
            } else if let content = node.content {
                try store(content, of: node, durably: true, scratch: scratch)
            }
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    /// A file's content, for one request.
    ///
    /// - Throws: `EBADF` where it would have to be open and is not.
    func content(of node: FileNode) throws(Errno) -> Format.Content {
        if let content = node.content { return content }
        guard changesInPlace else { throw .badDescriptor }
        guard node.kind == .file else { throw .invalidArgument }
        return try node.handles.withLock { _ throws(Errno) in
            if let content = node.content { return content }
            let content = try openStoredContent(of: node)
            node.content = content
            contents.hold(node)
            return content
        }
    }

    /// Truncates a file that may be open.
    func resize(
        _ node: FileNode,
        to size: UInt64,
        storing: Bool,
        scratch: Scratch
    ) throws(Errno) {
        guard node.kind == .file else { throw .invalidArgument }
        if changesInPlace {
            try changeContent(of: node) { content throws(Errno) in
                try content.truncate(to: size, scratch: scratch)
            }
            return
        }
        let content = try openContent(of: node)
        defer { closeContent(of: node, scratch: scratch) }
        try content.truncate(to: size, scratch: scratch)
        if storing { try store(content, of: node, durably: false, scratch: scratch) }
    }

    private func store(
        _ content: Format.Content,
        of node: FileNode,
        durably: Bool,
        scratch: Scratch
    ) throws(Errno) {
        // Removed, but open: there is no name to store it under.
        guard table.place(of: node) != nil else { return }
        try content.commit(
            durably: durably,
            to: NodePlace(node: node, filesystem: self),
            scratch: scratch
        )
    }

    /// Counts one more handle, and opens the content for the first.
    func openContent(of node: FileNode) throws(Errno) -> Format.Content {
        guard node.kind == .file else { throw .invalidArgument }
        return try node.handles.withLock { handles throws(Errno) in
            if let content = node.content {
                handles += 1
                return content
            }
            let content = try openStoredContent(of: node)
            node.content = content
            handles = 1
            return content
        }
    }

    private func openStoredContent(of node: FileNode) throws(Errno) -> Format.Content {
        try namespace.withReading { () throws(Errno) in
            guard let place = table.place(of: node) else {
                // Possible through /proc/self/fd of a descriptor opened with O_PATH.
                guard let orphan = table.orphan(of: node) else { throw .staleHandle }
                return try format.openContent(
                    try orphan.descriptor.duplicate(),
                    named: orphan.name
                )
            }
            let parent = try directory(of: place.parent)
            let descriptor = try openStoredFile(place.name, in: parent)
            return try format.openContent(descriptor, named: place.name)
        }
    }

    /// Opens a stored file for all that will be done to it.
    func openStoredFile(
        _ name: FileName,
        in directory: Format.Directory
    ) throws(Errno) -> OwnedDescriptor {
        if changesInPlace, !isReadOnly {
            do throws(Errno) {
                return try FileCall.open(
                    name,
                    in: directory.descriptor.rawValue,
                    [.readWrite, .nonBlocking]
                )
            } catch
                where error == .readOnlyFileSystem || error == .operationNotPermitted
                || error == .permissionDenied
            {
                // The storage does not take changes, or not of this file: it can still be read.
            }
        }
        return try FileCall.open(
            name,
            in: directory.descriptor.rawValue,
            [.readOnly, .nonBlocking]
        )
    }

    /// Counts one handle less, and closes the content with the last, unless it has changes that
    /// cannot be stored: those are kept, and tried again with the next opening or at the end.
    func closeContent(of node: FileNode, scratch: Scratch) {
        let last = node.handles.withLock { handles -> Format.Content? in
            handles -= 1
            return handles == 0 ? node.content : nil
        }
        guard let content = last else { return }
        if content.isDirty, table.place(of: node) != nil {
            do throws(Errno) {
                try store(content, of: node, durably: false, scratch: scratch)
            } catch {
                Log.warning(
                    "A file's changes could not be stored yet",
                    [
                        "error": error.description,
                        "stored_name": table.place(of: node)?.name.description ?? "",
                    ]
                )
            }
        }
        node.handles.withLock { handles in
            let isKept = content.isDirty && table.place(of: node) != nil
            // Somebody may have opened it meanwhile.
            guard handles == 0, node.content === content, !isKept else { return }
            node.content = nil
        }
    }

    /// Makes a new content the node's, as its first handle.
    func adopt(_ content: Format.Content, as node: FileNode) {
        node.handles.withLock { handles in
            node.content = content
            handles += 1
        }
        if changesInPlace { contents.hold(node) }
    }

    /// Clears set-user-ID, and set-group-ID where it is not the mark of mandatory locking: somebody
    /// without the right to keep them changes the file.
    static func dropPrivilege(_ descriptor: Int32) throws(Errno) {
        let mode = try FileStatus(of: descriptor).mode & 0o7777
        var kept = mode & ~S_ISUID
        if mode & S_IXGRP != 0 { kept &= ~S_ISGID }
        if kept != mode { try FileCall.setMode(descriptor, kept) }
    }
}
