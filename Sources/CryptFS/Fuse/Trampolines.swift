internal import CFuse
internal import Glibc
internal import Linux

/// From libfuse's calls to a ``RequestHandler``'s.
///
/// The first argument is always the serving thread, which is alive as long as it serves.
func makeOperationTable() -> cfuse_operations {
    var table = cfuse_operations()
    table.ready = { serving($0).becameReady() }
    table.forget = { thread, node, count in
        let thread = serving(thread)
        thread.handler.forget(node, count: count, scratch: thread.scratch)
    }
    table.statistics = { thread, request, _ in
        guard let reply = pending(request) else { return }
        serving(thread).handler.statistics(reply)
    }
    addNodeOperations(to: &table)
    addNameOperations(to: &table)
    addFileOperations(to: &table)
    addDirectoryOperations(to: &table)
    addExtendedOperations(to: &table)
    return table
}

private func addNodeOperations(to table: inout cfuse_operations) {
    table.get_attributes = { thread, request, node in
        guard let reply = pending(request) else { return }
        serving(thread).handler.getAttributes(reply, of: node)
    }
    table.set_attributes = { thread, request, node, attributes, which in
        guard let reply = pending(request), let attributes else { return }
        let thread = serving(thread)
        let change = AttributeChange(attributes.pointee, which: which)
        thread.handler.setAttributes(reply, of: node, change, scratch: thread.scratch)
    }
    table.read_link = { thread, request, node in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.readLink(reply, node, scratch: thread.scratch)
    }
}

private func addNameOperations(to table: inout cfuse_operations) {
    table.lookup = { thread, request, parent, name in
        guard let reply = pending(request) else { return }
        serving(thread).handler.lookup(reply, bytes(name), in: parent)
    }
    table.make_node = { thread, request, parent, name, mode, device in
        guard let reply = pending(request) else { return }
        serving(thread).handler.makeNode(
            reply,
            bytes(name),
            in: parent,
            mode: mode,
            device: UInt32(truncatingIfNeeded: device)
        )
    }
    table.make_directory = { thread, request, parent, name, mode in
        guard let reply = pending(request) else { return }
        serving(thread).handler.makeDirectory(reply, bytes(name), in: parent, mode: mode)
    }
    table.unlink = { thread, request, parent, name in
        guard let reply = pending(request) else { return }
        serving(thread).handler.unlink(reply, bytes(name), in: parent)
    }
    table.remove_directory = { thread, request, parent, name in
        guard let reply = pending(request) else { return }
        serving(thread).handler.removeDirectory(reply, bytes(name), in: parent)
    }
    table.symlink = { thread, request, target, parent, name in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.symlink(
            reply,
            bytes(name),
            in: parent,
            to: bytes(target),
            scratch: thread.scratch
        )
    }
    table.rename = { thread, request, parent, name, newParent, newName, flags in
        guard let reply = pending(request) else { return }
        serving(thread).handler.rename(
            reply,
            bytes(name),
            in: parent,
            to: bytes(newName),
            in: newParent,
            flags: flags
        )
    }
    table.link = { thread, request, node, newParent, newName in
        guard let reply = pending(request) else { return }
        serving(thread).handler.link(reply, node, to: bytes(newName), in: newParent)
    }
}

private func addFileOperations(to table: inout cfuse_operations) {
    table.open = { thread, request, node, flags in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.open(reply, node, flags: FileOpenFlags(flags), scratch: thread.scratch)
    }
    table.create = { thread, request, parent, name, mode, flags in
        guard let reply = pending(request) else { return }
        serving(thread).handler.create(
            reply,
            bytes(name),
            in: parent,
            mode: mode,
            flags: FileOpenFlags(flags)
        )
    }
    table.read = { thread, request, node, _, offset, count in
        guard let reply = pending(request) else { return }
        serving(thread).read(reply, node, at: offset, count: count)
    }
    table.write = { thread, request, node, _, offset, bytes, count, dropsPrivilege in
        guard let reply = pending(request) else { return }
        serving(thread).write(
            reply,
            node,
            at: offset,
            UnsafeRawBufferPointer(start: bytes, count: count),
            dropsPrivilege: dropsPrivilege != 0
        )
    }
    table.flush = { thread, request, node, handle in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.flush(reply, node, handle: handle, scratch: thread.scratch)
    }
    table.release = { thread, request, node, handle in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.release(reply, node, handle: handle, scratch: thread.scratch)
    }
    table.synchronize = { thread, request, node, handle, dataOnly in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.synchronize(
            reply,
            node,
            handle: handle,
            dataOnly: dataOnly != 0,
            scratch: thread.scratch
        )
    }
}

private func addDirectoryOperations(to table: inout cfuse_operations) {
    table.open_directory = { thread, request, node in
        guard let reply = pending(request) else { return }
        serving(thread).handler.openDirectory(reply, node)
    }
    table.read_directory = { thread, request, node, handle, position, count, withAttributes in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.readDirectory(
            reply,
            node,
            handle: handle,
            from: position,
            count: count,
            withAttributes: withAttributes != 0,
            scratch: thread.scratch
        )
    }
    table.release_directory = { thread, request, _, handle in
        guard let reply = pending(request) else { return }
        serving(thread).handler.releaseDirectory(reply, handle: handle)
    }
    table.synchronize_directory = { thread, request, _, handle, _ in
        guard let reply = pending(request) else { return }
        serving(thread).handler.synchronizeDirectory(reply, handle: handle)
    }
}

/// The thread that `cfuse_serve` was called by.
func serving(_ thread: UnsafeMutableRawPointer?) -> ServingThread {
    guard let thread else { preconditionFailure("cfuse_serve passes its argument on") }
    return Unmanaged<ServingThread>.fromOpaque(thread).takeUnretainedValue()
}

/// The request as what has to be answered.
func pending(_ request: OpaquePointer?) -> PendingReply? {
    guard let request else { return nil }
    return PendingReply(takingOwnershipOf: request)
}

/// A name, without its NUL.
func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8] {
    guard let text else { return [] }
    return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
}

extension FileOpenFlags {
    fileprivate init(_ flags: Int32) {
        self.init(isWritable: flags & O_ACCMODE != O_RDONLY, truncates: flags & O_TRUNC != 0)
    }
}

extension AttributeChange {
    fileprivate init(_ attributes: cfuse_attributes, which: UInt32) {
        func isSet(_ bit: Int) -> Bool { Int(which) & bit != 0 }
        if isSet(CFUSE_SET_MODE) { mode = attributes.mode & 0o7777 }
        if isSet(CFUSE_SET_USER) { user = attributes.user }
        if isSet(CFUSE_SET_GROUP) { group = attributes.group }
        if isSet(CFUSE_SET_SIZE) { size = attributes.size }
        if isSet(CFUSE_SET_ACCESSED_NOW) {
            accessed = .now
        } else if isSet(CFUSE_SET_ACCESSED) {
            accessed = FileTime(
                seconds: attributes.accessed_seconds,
                nanoseconds: Int(attributes.accessed_nanoseconds)
            )
        }
        if isSet(CFUSE_SET_MODIFIED_NOW) {
            modified = .now
        } else if isSet(CFUSE_SET_MODIFIED) {
            modified = FileTime(
                seconds: attributes.modified_seconds,
                nanoseconds: Int(attributes.modified_nanoseconds)
            )
        }
        if isSet(CFUSE_SET_CHANGED) {
            changed = FileTime(
                seconds: attributes.changed_seconds,
                nanoseconds: Int(attributes.changed_nanoseconds)
            )
        }
        isByHandle = isSet(CFUSE_SET_BY_HANDLE)
        dropsPrivilege = isSet(CFUSE_SET_DROP_PRIVILEGE)
    }
}
