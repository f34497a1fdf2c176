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
            guard try seal(file, size: size, into: new, buffers) == size else { throw .changed }
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

    private func seal(
        _ file: SourceFile,
        size: UInt64,
        into new: StoredFile,
        _ buffers: TransferBuffers
    ) throws(TransferFault) -> UInt64 {
        var offset: UInt64 = 0
        while true {
            try state.progress.checkpoint()
            let count = try file.read(
                at: offset,
                size: max(size, offset),
                into: buffers.plain,
                sealed: buffers.sealed
            )
            guard count > 0 else { return offset }
            try new.write(
                at: offset,
                UnsafeRawBufferPointer(rebasing: buffers.plain[..<count]),
                sealed: buffers.sealed
            )
            offset += UInt64(count)
            state.progress.add(bytes: UInt64(count))
            guard count == buffers.plain.count else { return offset }
        }
    }

    /// Reads back what was written, and the source once more.
    private func compare(
        _ file: SourceFile,
        _ new: StoredFile,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        guard try new.contentSize() == size else { throw .notStored }
        var offset: UInt64 = 0
        while offset < size {
            try state.progress.checkpoint()
            let count = try new.read(
                at: offset,
                size: size,
                into: buffers.plain,
                sealed: buffers.sealed
            )
            let again = try file.read(
                at: offset,
                size: size,
                into: buffers.again,
                sealed: buffers.sealed
            )
            guard again >= count else { throw .changed }
            guard buffers.isEqual(count) else { throw .notStored }
            offset += UInt64(count)
            state.progress.add(bytes: UInt64(count))
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
            let file = try? volume.openFile(name, in: into.descriptor)
        else { return nil }
        // The header is right if the first blocks open.
        guard size > 0 else { return file }
        let first = try? file.read(
            at: 0,
            size: size,
            into: buffers.plain,
            sealed: buffers.sealed
        )
        return first == nil ? nil : file
    }

    /// Onto the disk, and out of the cache, so that reading back reads the disk.
    private func synchronize(_ descriptor: Int32) throws(TransferFault) {
        try system { () throws(Errno) in try FileCall.synchronize(descriptor) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }
}
