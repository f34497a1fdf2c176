internal import CFuse
internal import Linux

/// Extended attributes, and room for content and its holes: what only some formats have.
func addExtendedOperations(to table: inout cfuse_operations) {
    table.allocate = { thread, request, node, offset, count, flags in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.allocate(
            reply,
            node,
            at: offset,
            count: count,
            flags: flags,
            scratch: thread.scratch
        )
    }
    table.seek = { thread, request, node, offset, whence in
        guard let reply = pending(request) else { return }
        guard let target = FileCall.SeekTarget(rawValue: whence) else {
            reply.fail(.invalidArgument)
            return
        }
        serving(thread).seek(reply, node, to: target, from: offset)
    }
    table.set_extended = { thread, request, node, name, value, count, flags in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.setExtended(
            reply,
            node,
            bytes(name),
            UnsafeRawBufferPointer(start: value, count: count),
            flags: flags,
            scratch: thread.scratch
        )
    }
    table.get_extended = { thread, request, node, name, count in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.getExtended(
            reply,
            node,
            bytes(name),
            room: count,
            scratch: thread.scratch
        )
    }
    table.list_extended = { thread, request, node, count in
        guard let reply = pending(request) else { return }
        let thread = serving(thread)
        thread.handler.listExtended(reply, node, room: count, scratch: thread.scratch)
    }
    table.remove_extended = { thread, request, node, name in
        guard let reply = pending(request) else { return }
        serving(thread).handler.removeExtended(reply, node, bytes(name))
    }
}
