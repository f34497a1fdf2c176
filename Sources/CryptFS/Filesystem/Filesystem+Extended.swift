internal import CFuse
internal import Linux

// Extended attributes, and room for content and its holes.
extension Filesystem {
    func allocate(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        at offset: UInt64,
        count: UInt64,
        flags: Int32,
        scratch: Scratch
    ) {
        do throws(Errno) {
            try requireWritable()
            let node = table.node(node)
            try changeContent(of: node) { content throws(Errno) in
                try content.allocate(
                    at: offset,
                    count: count,
                    FileCall.Allocation(rawValue: flags),
                    scratch: scratch
                )
            }
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    func seek(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        to target: FileCall.SeekTarget,
        from offset: UInt64
    ) {
        do throws(Errno) {
            let node = table.node(node)
            reply.position(try content(of: node).find(target, from: offset))
        } catch {
            reply.fail(error)
        }
    }

    func setExtended(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        _ name: [UInt8],
        _ value: UnsafeRawBufferPointer,
        flags: Int32,
        scratch: Scratch
    ) {
        do throws(Errno) {
            try requireWritable()
            let node = table.node(node)
            // A privilege that this mount would not grant.
            if Self.isCapability(name) { throw .notSupported }
            try Self.requireNamespace(name)
            let stored = try format.storedAttributeName(of: name)
            let sealed = try format.sealAttribute(name, value, scratch: scratch)
            try withAttributes(of: node) { descriptor throws(Errno) in
                try ExtendedAttribute.write(stored, of: descriptor, sealed, flags: flags)
            }
            if Self.isDefaultList(name) { noteDefaultList(node) }
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    func getExtended(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        _ name: [UInt8],
        room: Int,
        scratch: Scratch
    ) {
        do throws(Errno) {
            let node = table.node(node)
            // Asked for again and again, and of no use on a mount without set-user-ID.
            if Self.isCapability(name) || isStoredAsItself(node.kind) { throw .noData }
            let stored = try format.storedAttributeName(of: name)
            let sealed = scratch.sealed
            let count = try withAttributes(of: node) { descriptor throws(Errno) in
                try ExtendedAttribute.read(
                    stored,
                    of: descriptor,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: sealed[..<ExtendedAttribute.maximumCount]
                    )
                )
            }
            let value = try format.openAttribute(
                name,
                UnsafeRawBufferPointer(rebasing: sealed[..<count]),
                scratch: scratch
            )
            if room == 0 {
                reply.length(value.count)
            } else if value.count > room {
                reply.fail(.outOfRange)
            } else {
                reply.data(value)
            }
        } catch {
            reply.fail(error)
        }
    }

    func listExtended(
        _ reply: consuming PendingReply,
        _ node: NodeID,
        room: Int,
        scratch: Scratch
    ) {
        do throws(Errno) {
            let node = table.node(node)
            if isStoredAsItself(node.kind) {
                if room == 0 { reply.length(0) } else { reply.data(.init(start: nil, count: 0)) }
                return
            }
            let stored = UnsafeMutableRawBufferPointer(
                rebasing: scratch.sealed[..<ExtendedAttribute.maximumCount]
            )
            let count = try withAttributes(of: node) { descriptor throws(Errno) in
                try ExtendedAttribute.list(of: descriptor, into: stored)
            }
            var names: [UInt8] = []
            for name in stored[..<count].split(separator: 0) {
                guard
                    let listed = format.listedAttributeName(
                        of: UnsafeRawBufferPointer(rebasing: name)
                    )
                else { continue }
                names += listed + [0]
            }
            if room == 0 {
                reply.length(names.count)
            } else if names.count > room {
                reply.fail(.outOfRange)
            } else {
                scratch.plain.copyBytes(from: names)
                reply.data(UnsafeRawBufferPointer(rebasing: scratch.plain[..<names.count]))
            }
        } catch {
            reply.fail(error)
        }
    }

    func removeExtended(_ reply: consuming PendingReply, _ node: NodeID, _ name: [UInt8]) {
        do throws(Errno) {
            try requireWritable()
            let node = table.node(node)
            if Self.isCapability(name) { throw .noData }
            let stored = try format.storedAttributeName(of: name)
            try withAttributes(of: node) { descriptor throws(Errno) in
                try ExtendedAttribute.remove(stored, of: descriptor)
            }
            if Self.isDefaultList(name) { noteDefaultList(node) }
            reply.succeed()
        } catch {
            reply.fail(error)
        }
    }

    /// Whether what is made in a directory takes its access control list over.
    func hasDefaultList(_ node: FileNode) throws(Errno) -> Bool {
        guard changesInPlace else { return false }
        let directory = try namespace.withReading { () throws(Errno) in
            try self.directory(of: node)
        }
        if isExclusive, let known = directory.hasDefaultList { return known }
        // What is held open is the place only, which has no attributes.
        let descriptor = try FileCall.reopen(
            directory: directory.descriptor.rawValue,
            [.readOnly, .directory]
        )
        let found = ExtendedAttribute.hasDefaultList(descriptor.rawValue)
        directory.hasDefaultList = found
        return found
    }

    private func noteDefaultList(_ node: FileNode) {
        let directory = try? namespace.withReading { () throws(Errno) in
            try self.directory(of: node)
        }
        directory?.hasDefaultList = nil
    }

    /// Runs `body` with a stored file that can have attributes.
    private func withAttributes<Result>(
        of node: FileNode,
        _ body: (Int32) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try withMetadata(of: node) { file throws(Errno) in
            guard !file.isPlaceOnly else { throw .operationNotPermitted }
            return try body(file.descriptor)
        }
    }

    /// Refuses a name that no disk of Linux would take: the kernel leaves that to a mount, and what
    /// was set could never be copied off it.
    private static func requireNamespace(_ name: [UInt8]) throws(Errno) {
        if name.starts(with: "system.posix_acl_".utf8) { return }
        let parts = name.split(separator: UInt8(ascii: "."), maxSplits: 1)
        let namespaces = ["user", "trusted", "security"]
        guard name.contains(UInt8(ascii: ".")), let first = parts.first,
            namespaces.contains(where: { first.elementsEqual($0.utf8) })
        else { throw .notSupported }
        guard parts.count == 2 else { throw .invalidArgument }
    }

    private static func isCapability(_ name: [UInt8]) -> Bool {
        name.elementsEqual("security.capability".utf8)
    }

    private static func isDefaultList(_ name: [UInt8]) -> Bool {
        name.elementsEqual("system.posix_acl_default".utf8)
    }
}
