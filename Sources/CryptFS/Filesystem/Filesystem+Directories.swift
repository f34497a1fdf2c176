internal import CFuse
internal import Linux
internal import Synchronization

// Listing directories.
extension Filesystem {
    func openDirectory(_ reply: consuming PendingReply, _ node: NodeID) {
        do throws(Errno) {
            let directory = try namespace.withReading {
                () throws(Errno) -> Format.Directory in
                try self.directory(of: table.node(node))
            }
            let listing = DirectoryListing<Format>(directory)
            let handle = Unmanaged.passRetained(listing)
            let number = UInt64(UInt(bitPattern: handle.toOpaque()))
            let pages: PageUse = isExclusive ? .cacheListing : []
            guard !reply.opened(handle: number, pages: pages) else { return }
            handle.release()
        } catch {
            reply.fail(error)
        }
    }

    func readDirectory(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        handle: UInt64,
        from position: UInt64,
        count: Int,
        withAttributes: Bool,
        scratch: Scratch
    ) {
        guard let listing = listing(handle)?.takeUnretainedValue() else {
            reply.fail(.badDescriptor)
            return
        }
        let node = table.node(node)
        let buffer = UnsafeMutableRawBufferPointer(
            rebasing: scratch.plain[..<min(count, scratch.plain.count)]
        )
        var filled = 0
        do throws(Errno) {
            try listing.read(from: position) { record throws(Errno) in
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                guard
                    let taken = try append(
                        record,
                        of: listing.directory,
                        node,
                        withAttributes: withAttributes,
                        to: rest,
                        reply
                    )
                else { return false }
                filled += taken
                return true
            }
            reply.data(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
        } catch {
            // What is in the buffer already was counted as looked up and has to arrive.
            if filled > 0 {
                reply.data(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
            } else {
                reply.fail(error)
            }
        }
    }

    func releaseDirectory(_ reply: consuming PendingReply, handle: UInt64) {
        listing(handle)?.release()
        reply.succeed()
    }

    func synchronizeDirectory(_ reply: consuming PendingReply, handle: UInt64) {
        do throws(Errno) {
            if let listing = listing(handle)?.takeUnretainedValue() {
                try listing.synchronize()
            }
            try format.synchronizeNames()
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    private func listing(_ handle: UInt64) -> Unmanaged<DirectoryListing<Format>>? {
        UnsafeRawPointer(bitPattern: UInt(handle)).map(Unmanaged.fromOpaque)
    }

    /// Appends a name to what is listed.
    ///
    /// - Returns: The bytes it takes, 0 for what is not to be listed; nil where it does not fit.
    private func append(
        _ record: DirectoryRecord,
        of directory: Format.Directory,
        _ node: FileNode,
        withAttributes: Bool,
        to buffer: UnsafeMutableRawBufferPointer,
        _ reply: borrowing PendingReply
    ) throws(Errno) -> Int? {
        if record.isDots {
            return appendDots(record, withAttributes: withAttributes, to: buffer, reply)
        }
        guard let stored = FileName(record.name) else { return 0 }
        let kind: FileStatus.Kind
        if let known = record.kind {
            kind = known
        } else if let status = try? FileStatus(
            in: directory.descriptor.rawValue,
            named: stored
        ) {
            kind = status.kind
        } else {
            return 0
        }
        guard let listed = format.listedName(of: record.name, kind, in: directory),
            let name = FileName(listed.name)
        else { return 0 }
        guard withAttributes else {
            return name.withCString { name in
                reply.append(
                    name: name,
                    number: number(of: record),
                    mode: listed.kind.typeBits,
                    next: record.next,
                    to: buffer
                )
            }
        }
        return name.withCString { name in
            appendEntry(
                name,
                of: stored,
                listed.kind,
                next: record.next,
                in: directory,
                node,
                to: buffer,
                reply
            )
        }
    }

    private func appendEntry(
        _ name: UnsafePointer<CChar>,
        of stored: FileName,
        _ kind: EntryKind,
        next: UInt64,
        in directory: Format.Directory,
        _ parent: FileNode,
        to buffer: UnsafeMutableRawBufferPointer,
        _ reply: borrowing PendingReply
    ) -> Int? {
        namespace.withReading {
            // Removed or rewritten since the listing: the name is not listed, or found again.
            guard
                let found = try? FileStatus(in: directory.descriptor.rawValue, named: stored),
                let status = try? format.settle(found, named: stored, in: directory)
            else { return 0 }
            let child = table.intern(
                StoredEntry(name: stored, kind: kind, status: status),
                in: parent
            )
            let taken = reply.append(
                name: name,
                entry: entry(of: child, status),
                next: next,
                to: buffer
            )
            if taken == nil { table.forget(child, count: 1) }
            return taken
        }
    }

    private func appendDots(
        _ record: DirectoryRecord,
        withAttributes: Bool,
        to buffer: UnsafeMutableRawBufferPointer,
        _ reply: borrowing PendingReply
    ) -> Int? {
        let name: StaticString = record.name.count == 1 ? "." : ".."
        return name.withUTF8Buffer { name in
            name.withMemoryRebound(to: CChar.self) { text in
                // A static string ends in NUL.
                guard let text = text.baseAddress else { return 0 }
                guard withAttributes else {
                    return reply.append(
                        name: text,
                        number: number(of: record),
                        mode: EntryKind.directory.typeBits,
                        next: record.next,
                        to: buffer
                    )
                }
                // Node 0: the kernel knows these two itself and takes no reference.
                let attributes = cfuse_attributes(directoryNumbered: number(of: record))
                return reply.append(
                    name: text,
                    entry: cfuse_entry(node: 0, validity: 0, attributes: attributes),
                    next: record.next,
                    to: buffer
                )
            }
        }
    }

    /// The inode number that is listed; not 0, which would hide the name.
    private func number(of record: DirectoryRecord) -> UInt64 {
        // Elsewhere a file keeps its number when another takes its place below: nobody knows it
        // without looking.
        changesInPlace && record.number != 0 ? record.number : 0xffff_ffff
    }
}

extension EntryKind {
    /// As in `st_mode`.
    var typeBits: UInt32 {
        switch self {
        case .file: 0o100000
        case .directory: 0o040000
        case .symbolicLink: 0o120000
        // Which of them is told with the attributes.
        case .special: 0
        }
    }
}

extension cfuse_attributes {
    fileprivate init(directoryNumbered number: UInt64) {
        self.init()
        self.number = number
        mode = EntryKind.directory.typeBits
    }
}
