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

    /// Gives a file that was transferred one more name.
    ///
    /// - Parameters:
    ///   - entry: The name.
    ///   - first: A name that the file has.
    /// - Returns: Whether it has it; otherwise the name is to become a file of its own.
    /// - Throws: ``TransferFault``.
    func link(_ entry: TreeEntry, to first: TreeEntry) throws(TransferFault) -> Bool {
        let (path, firstPath) = (entry.plainNames, first.plainNames)
        guard let name = path.last, path.count == entry.path.count, let file = firstPath.last,
            try TransferSource.volume(volume).isOneFile(entry, first)
        else { return false }
        do throws(Errno) {
            let from = try TreeDirectory.open(firstPath.dropLast(), below: target)
            let into = try TreeDirectory.open(path.dropLast(), below: target)
            let identity = try FileStatus(in: from.rawValue, named: file).identity
            if let found = try? FileStatus(in: into.rawValue, named: name),
                found.identity == identity
            {
                state.passOver(bytes: 0)
                return true
            }
            let draft = DraftName.make()
            try FileCall.link(file, in: from.rawValue, to: draft, in: into.rawValue)
            do throws(Errno) {
                try FileCall.rename(draft, in: into.rawValue, to: name, in: into.rawValue)
            } catch {
                try? FileCall.unlink(draft, in: into.rawValue)
                throw error
            }
        } catch  where TransferState.isUnlinkable(error) {
            state.update { $0.withoutLinks += 1 }
            return false
        } catch {
            throw .system(error)
        }
        state.finish { $0.hardLinks += 1 }
        return true
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
            found.size == size, found.modified == status.modified,
            state.isAlone(found, for: status)
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

    /// Writes what is content; what is a hole in the volume stays one.
    private func copy(
        _ file: StoredFile,
        to number: Int32,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        try state.forEachPiece(of: [file.map], size: size) { piece throws(TransferFault) in
            let plain = UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<piece.count])
            _ = try file.read(at: piece.lowerBound, size: size, into: plain, sealed: buffers.sealed)
            try system { () throws(Errno) in
                try FileCall.write(number, at: piece.lowerBound, UnsafeRawBufferPointer(plain))
            }
        }
        try system { () throws(Errno) in try FileCall.truncate(number, to: size) }
    }

    private func compare(
        _ file: StoredFile,
        _ number: Int32,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        guard try system({ () throws(Errno) in try FileStatus(of: number).size }) == size else {
            throw .notStored
        }
        try state.forEachPiece(of: [file.map, .plain(number)], size: size) {
            piece throws(TransferFault) in
            let count = piece.count
            _ = try file.read(
                at: piece.lowerBound,
                size: size,
                into: UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<count]),
                sealed: buffers.sealed
            )
            let again = try system { () throws(Errno) in
                try FileCall.read(
                    number,
                    at: piece.lowerBound,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffers.again[..<count])
                )
            }
            guard again == count, buffers.isEqual(count) else { throw .notStored }
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
