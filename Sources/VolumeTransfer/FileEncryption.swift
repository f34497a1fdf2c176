internal import CryptFS
internal import Glibc
internal import Linux
internal import VolumeFormat

/// Encrypts one file or symbolic link into a volume.
struct FileEncryption {
    let volume: StoredVolume
    let source: TransferSource
    let state: TransferState

    /// Whether a view in memory is stored: its times say nothing of the content, and what is stored
    /// keeps its extended attributes, for the view shows none.
    var storesView = false

    func run(_ entry: TreeEntry, _ buffers: TransferBuffers) throws(TransferFault) {
        guard let sourceName = entry.stored.last, let name = entry.path.last else { return }
        let into = try volume.directory(at: entry.path.dropLast())
        let stored = try volume.storedName(name, entry.kind, in: into)
        let from = try source.parent(of: entry)
        switch entry.kind {
        case .file: try encryptFile(sourceName, from, as: stored, into, buffers)
        case .link: try encryptLink(sourceName, from, as: stored, into, entry.status, buffers)
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
        guard let name = entry.path.last, let firstName = first.path.last,
            try source.isOneFile(entry, first)
        else { return false }
        let into = try volume.directory(at: entry.path.dropLast())
        let from = try volume.directory(at: first.path.dropLast())
        let stored = try volume.storedName(name, entry.kind, in: into)
        let file = try volume.storedName(firstName, first.kind, in: from).entry
        let (parent, firstParent) = (into.descriptor.rawValue, from.descriptor.rawValue)
        let identity = try system { () throws(Errno) in
            try FileStatus(in: firstParent, named: file).identity
        }
        if let found = try? FileStatus(in: parent, named: stored.entry), found.identity == identity
        {
            state.passOver(bytes: 0)
            return true
        }
        do throws(TransferFault) {
            try StoredDraft(volume).name(for: file, in: from, as: stored, in: into)
        } catch .system(let errno) where TransferState.isUnlinkable(errno) {
            state.update { $0.withoutLinks += 1 }
            return false
        } catch {
            throw error
        }
        state.finish { $0.hardLinks += 1 }
        return true
    }

    private func encryptFile(
        _ sourceName: FileName,
        _ from: borrowing OwnedDescriptor,
        as stored: StoredEntryName,
        _ into: borrowing StoredDirectory,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        let file = try source.openFile(sourceName, in: from)
        let status = try file.status()
        let size = try file.contentSize()
        if !volume.hasHolesAndLinks, file.map.hasHoles(size: size) {
            state.update { $0.withoutHoles += 1 }
        }
        if !storesView,
            let found = unchanged(stored.entry, into, status, size: size, buffers)
        {
            let number = found.descriptor
            try state.takeOver(
                file.attributes(in: source).read(),
                to: volume.attributes(of: number),
                number,
                status
            )
            state.passOver(bytes: size)
            return
        }
        let attributes = try attributes(of: file, as: stored.entry, into)
        var fault: TransferFault?
        try StoredDraft(volume).file(as: stored, in: into) { new throws(TransferFault) in
            try seal(file, size: size, into: new, buffers)
            try synchronize(new.descriptor)
            try compare(file, new, size: size, buffers)
            let after = try file.status()
            guard after.modified == status.modified, after.size == status.size else {
                throw .changed
            }
            // Before the mode, which may forbid it.
            fault = state.carry(attributes, to: volume.attributes(of: new.descriptor))
            try system { () throws(Errno) in
                try Attributes.copy(status, to: new.descriptor)
                try FileCall.synchronize(new.descriptor)
            }
        }
        state.finish { report in
            report.files += 1
            report.bytes += size
        }
        if let fault { throw fault }
    }

    /// The extended attributes that a file is to have: its own, or those of what it replaces.
    private func attributes(
        of file: SourceFile,
        as stored: FileName,
        _ into: borrowing StoredDirectory
    ) throws(TransferFault) -> AttributePlace.Content? {
        guard storesView else { return try file.attributes(in: source).read() }
        let parent = into.descriptor.rawValue
        guard
            let replaced = try? FileCall.open(stored, in: parent, [.readOnly, .nonBlocking])
        else { return nil }
        return try volume.attributes(of: replaced.rawValue).read()
    }

    /// Writes what is content; what is a hole in the source stays one, where the format has holes.
    private func seal(
        _ file: SourceFile,
        size: UInt64,
        into new: StoredFile,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        let maps = volume.hasHolesAndLinks ? [file.map, .end] : [.everywhere]
        try state.forEachPiece(of: maps, size: size) { piece throws(TransferFault) in
            let plain = UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<piece.count])
            let count = try file.read(
                at: piece.lowerBound,
                size: size,
                into: plain,
                sealed: buffers.sealed
            )
            guard count == piece.count else { throw .changed }
            try new.write(
                at: piece.lowerBound,
                UnsafeRawBufferPointer(plain),
                sealed: buffers.sealed
            )
        }
        guard try file.ends(at: size) else { throw .changed }
    }

    /// Reads back what was written, and the source once more.
    private func compare(
        _ file: SourceFile,
        _ new: StoredFile,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        guard try new.contentSize() == size else { throw .notStored }
        try state.forEachPiece(of: [file.map, new.map], size: size) { piece throws(TransferFault) in
            let count = piece.count
            _ = try new.read(
                at: piece.lowerBound,
                size: size,
                into: UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<count]),
                sealed: buffers.sealed
            )
            let again = try file.read(
                at: piece.lowerBound,
                size: size,
                into: UnsafeMutableRawBufferPointer(rebasing: buffers.again[..<count]),
                sealed: buffers.sealed
            )
            guard again == count else { throw .changed }
            guard buffers.isEqual(count) else { throw .notStored }
        }
    }

    private func encryptLink(
        _ sourceName: FileName,
        _ from: borrowing OwnedDescriptor,
        as stored: StoredEntryName,
        _ into: borrowing StoredDirectory,
        _ status: FileStatus,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        let target = try source.readLink(sourceName, in: from)
        let found = try? LinkTarget.read(stored.entry, in: into.descriptor, of: volume)
        if found == target {
            state.passOver(bytes: 0)
            return
        }
        switch volume.cipher {
        case .rclone: try encryptFile(of: target, as: stored, into, status, buffers)
        case .gocryptfs(let keys, let names):
            try StoredDraft(volume).link(
                to: LinkTarget.seal(target, keys, names),
                as: stored,
                in: into,
                status
            )
            guard try LinkTarget.read(stored.entry, in: into.descriptor, of: volume) == target
            else { throw .notStored }
        }
        state.finish { $0.links += 1 }
    }

    private func encryptFile(
        of target: [UInt8],
        as stored: StoredEntryName,
        _ into: borrowing StoredDirectory,
        _ status: FileStatus,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        try StoredDraft(volume).file(as: stored, in: into) { new throws(TransferFault) in
            let content = UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<target.count])
            content.copyBytes(from: target)
            try new.write(at: 0, UnsafeRawBufferPointer(content), sealed: buffers.sealed)
            try system { () throws(Errno) in try Attributes.copy(status, to: new.descriptor) }
            try synchronize(new.descriptor)
            let count = try new.read(
                at: 0,
                size: UInt64(target.count),
                into: buffers.plain,
                sealed: buffers.sealed
            )
            guard buffers.plain[..<count].elementsEqual(target) else { throw .notStored }
        }
    }

    /// What is stored already, where it is the same.
    private func unchanged(
        _ name: FileName,
        _ into: borrowing StoredDirectory,
        _ source: FileStatus,
        size: UInt64,
        _ buffers: TransferBuffers
    ) -> StoredFile? {
        guard let status = try? FileStatus(in: into.descriptor.rawValue, named: name),
            status.kind == .regular, status.modified == source.modified,
            volume.cipher.contentCount(forStored: status.size) == size,
            state.isAlone(status, for: source),
            let file = try? volume.openFile(name, in: into.descriptor)
        else { return nil }
        // The header is right if the first blocks open; a hole opens whatever it is.
        guard let first = file.map.next(from: 0, size: size) else { return file }
        let count = Int(min(UInt64(buffers.plain.count), size - first.lowerBound))
        let read = try? file.read(
            at: first.lowerBound,
            size: size,
            into: UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<count]),
            sealed: buffers.sealed
        )
        return read == nil ? nil : file
    }

    /// Onto the disk, and out of the cache, so that reading back reads the disk.
    private func synchronize(_ descriptor: Int32) throws(TransferFault) {
        try system { () throws(Errno) in try FileCall.synchronize(descriptor) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }
}
