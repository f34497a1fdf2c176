internal import CryptFS
internal import Glibc
internal import Linux

/// Decrypts one file or symbolic link.
struct FileDecryption {
    let volume: StoredVolume
    let target: Int32
    let state: TransferState

    func run(_ entry: TreeEntry, _ buffers: TransferBuffers) throws(TransferFault) {
        let path = entry.plainNames
        guard let stored = entry.stored.last, let name = path.last, path.count == entry.path.count
        else { return }
        let from = try system { () throws(Errno) in
            try TreeDirectory.open(entry.stored.dropLast(), below: volume.root.rawValue)
        }
        let into = try system { () throws(Errno) in
            try TreeDirectory.open(path.dropLast(), below: target)
        }
        switch entry.kind {
        case .file: try decryptFile(stored, from, as: name, into, buffers)
        case .link: try decryptLink(stored, from, as: name, into, entry.status)
        case .directory: break
        }
    }

    private func decryptFile(
        _ stored: FileName,
        _ from: borrowing OwnedDescriptor,
        as name: FileName,
        _ into: borrowing OwnedDescriptor,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        let file = try volume.openFile(stored, in: from)
        let status = try system { () throws(Errno) in
            try FileStatus(of: file.descriptor)
        }
        let size = try file.contentSize()
        let parent = into.rawValue
        if let found = try? FileStatus(in: parent, named: name), found.kind == .regular,
            found.size == size, found.modified == status.modified
        {
            try takeOver(name, in: parent, from: file, status)
            state.passOver(bytes: size)
            return
        }
        let draft = DraftName.make()
        let made = try system { () throws(Errno) in
            try FileCall.open(draft, in: parent, [.readWrite, .createNew], mode: 0o600)
        }
        let number = made.rawValue
        var fault: TransferFault?
        do throws(TransferFault) {
            try copy(file, to: number, size: size, buffers)
            try system { () throws(Errno) in
                try FileCall.synchronize(number)
            }
            posix_fadvise(number, 0, 0, POSIX_FADV_DONTNEED)
            try compare(file, number, size: size, buffers)
            // Before the mode, which may forbid it.
            fault = state.carry(
                try volume.attributes(of: file.descriptor).read(),
                to: .plain(number)
            )
            try system { () throws(Errno) in
                try Attributes.copy(status, to: number)
                try FileCall.synchronize(number)
                try FileCall.rename(draft, in: parent, to: name, in: parent)
            }
        } catch {
            try? FileCall.unlink(draft, in: parent)
            throw error
        }
        state.finish { report in
            report.files += 1
            report.bytes += size
        }
        if let fault { throw fault }
    }

    /// Extended attributes of what is there already: a change of them leaves no other trace.
    private func takeOver(
        _ name: FileName,
        in parent: Int32,
        from file: StoredFile,
        _ status: FileStatus
    ) throws(TransferFault) {
        let found = try system { () throws(Errno) in
            try FileCall.open(name, in: parent, [.readOnly, .nonBlocking])
        }
        try state.takeOver(
            volume.attributes(of: file.descriptor).read(),
            to: .plain(found.rawValue),
            found.rawValue,
            status
        )
    }

    private func copy(
        _ file: StoredFile,
        to number: Int32,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        try file.forEachPiece(size: size, buffers) { piece, offset throws(TransferFault) in
            try state.progress.checkpoint()
            try system { () throws(Errno) in try FileCall.write(number, at: offset, piece) }
            state.progress.add(bytes: UInt64(piece.count))
        }
    }

    private func compare(
        _ file: StoredFile,
        _ number: Int32,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        try file.forEachPiece(size: size, buffers) { piece, offset throws(TransferFault) in
            try state.progress.checkpoint()
            let count = piece.count
            let again = try system { () throws(Errno) in
                try FileCall.read(
                    number,
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffers.again[..<count])
                )
            }
            guard again == count, buffers.isEqual(count) else { throw .notStored }
            state.progress.add(bytes: UInt64(count))
        }
    }

    private func decryptLink(
        _ stored: FileName,
        _ from: borrowing OwnedDescriptor,
        as name: FileName,
        _ into: borrowing OwnedDescriptor,
        _ status: FileStatus
    ) throws(TransferFault) {
        let destination = try LinkTarget.read(stored, in: from, of: volume)
        let parent = into.rawValue
        if let found = try? FileCall.readLink(name, in: parent), found == destination {
            state.passOver(bytes: 0)
            return
        }
        let draft = DraftName.make()
        try system { () throws(Errno) in
            try FileCall.makeLink(draft, in: parent, to: destination)
            do throws(Errno) {
                try FileCall.setTimes(
                    of: draft,
                    in: parent,
                    accessed: status.accessed,
                    modified: status.modified
                )
                try FileCall.rename(draft, in: parent, to: name, in: parent)
            } catch {
                try? FileCall.unlink(draft, in: parent)
                throw error
            }
        }
        state.finish { $0.links += 1 }
    }
}
