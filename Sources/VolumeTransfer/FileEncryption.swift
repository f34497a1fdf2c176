internal import CryptFS
internal import Glibc
internal import Linux
internal import VolumeFormat

/// Encrypts one file or symbolic link.
struct FileEncryption {
    let volume: StoredVolume
    let source: Int32
    let state: TransferState

    func run(_ entry: TreeEntry, _ buffers: TransferBuffers) throws(TransferFault) {
        guard let sourceName = entry.stored.last, let name = entry.path.last else { return }
        var path: [FileName] = []
        for directory in entry.path.dropLast() {
            path.append(try volume.storedName(directory, .directory))
        }
        let stored = try volume.storedName(name, entry.kind)
        let from = try system { () throws(Errno) in
            try TreeDirectory.open(entry.stored.dropLast(), below: source)
        }
        let into = try system { () throws(Errno) in
            try TreeDirectory.open(path, below: volume.root.rawValue)
        }
        switch entry.kind {
        case .file: try encryptFile(sourceName, from, as: stored, into, buffers)
        case .link: try encryptLink(sourceName, from, as: stored, into, entry.status, buffers)
        case .directory: break
        }
    }

    private func encryptFile(
        _ sourceName: FileName,
        _ from: borrowing OwnedDescriptor,
        as name: FileName,
        _ into: borrowing OwnedDescriptor,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        let parent = from.rawValue
        let source = try system { () throws(Errno) in
            try FileCall.open(sourceName, in: parent, [.readOnly, .nonBlocking])
        }
        let number = source.rawValue
        let status = try system { () throws(Errno) in try FileStatus(of: number) }
        guard status.kind == .regular else { throw .changed }
        if try isUnchanged(name, into, status, buffers) {
            state.passOver(bytes: status.size)
            return
        }
        try makeDraft(as: name, into) { file throws(TransferFault) in
            let size = try seal(number, into: file, buffers)
            guard size == status.size else { throw .changed }
            try synchronize(file.descriptor.rawValue)
            try compare(number, file, size: size, buffers)
            let after = try system { () throws(Errno) in try FileStatus(of: number) }
            guard after.modified == status.modified, after.size == status.size else {
                throw .changed
            }
            try system { () throws(Errno) in
                try Attributes.copy(status, to: file.descriptor.rawValue)
                try FileCall.synchronize(file.descriptor.rawValue)
            }
        }
        state.finish { report in
            report.files += 1
            report.bytes += status.size
        }
    }

    private func seal(
        _ source: Int32,
        into file: SealedFile,
        _ buffers: TransferBuffers
    ) throws(TransferFault) -> UInt64 {
        var offset: UInt64 = 0
        while true {
            try state.progress.checkpoint()
            let count = try system { () throws(Errno) in
                try FileCall.read(source, at: offset, into: buffers.plain)
            }
            guard count > 0 else { return offset }
            try system { () throws(Errno) in
                try file.seal(
                    blocksFrom: offset / UInt64(SealedFile.blockCount),
                    UnsafeRawBufferPointer(rebasing: buffers.plain[..<count]),
                    sealed: buffers.sealed
                )
            }
            offset += UInt64(count)
            state.progress.add(bytes: UInt64(count))
            guard count == buffers.plain.count else { return offset }
        }
    }

    /// Reads back what was written, and the source once more.
    private func compare(
        _ source: Int32,
        _ file: SealedFile,
        size: UInt64,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        let written = try stored { () throws(SealedFileError) in try file.storedContentSize() }
        guard written == size else { throw .notStored }
        var offset: UInt64 = 0
        while offset < size {
            try state.progress.checkpoint()
            let count = try file.read(at: offset, size: size, buffers)
            let again = try system { () throws(Errno) in
                try FileCall.read(
                    source,
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffers.again[..<count])
                )
            }
            guard again == count else { throw .changed }
            guard buffers.isEqual(count) else { throw .notStored }
            offset += UInt64(count)
            state.progress.add(bytes: UInt64(count))
        }
    }

    private func encryptLink(
        _ sourceName: FileName,
        _ from: borrowing OwnedDescriptor,
        as name: FileName,
        _ into: borrowing OwnedDescriptor,
        _ status: FileStatus,
        _ buffers: TransferBuffers
    ) throws(TransferFault) {
        let parent = from.rawValue
        let target = try system { () throws(Errno) in
            try FileCall.readLink(sourceName, in: parent)
        }
        if let found = try? LinkTarget.read(name, in: into, of: volume, buffers), found == target {
            state.passOver(bytes: 0)
            return
        }
        try makeDraft(as: name, into) { file throws(TransferFault) in
            let content = UnsafeMutableRawBufferPointer(rebasing: buffers.plain[..<target.count])
            content.copyBytes(from: target)
            try system { () throws(Errno) in
                try file.seal(
                    blocksFrom: 0,
                    UnsafeRawBufferPointer(content),
                    sealed: buffers.sealed
                )
                try Attributes.copy(status, to: file.descriptor.rawValue)
            }
            try synchronize(file.descriptor.rawValue)
            let count = try file.read(at: 0, size: UInt64(target.count), buffers)
            guard buffers.plain[..<count].elementsEqual(target) else { throw .notStored }
        }
        state.finish { $0.links += 1 }
    }

    /// Writes a file under another name, and gives it its own once `body` says it is whole.
    private func makeDraft(
        as name: FileName,
        _ into: borrowing OwnedDescriptor,
        _ body: (SealedFile) throws(TransferFault) -> Void
    ) throws(TransferFault) {
        let draft = DraftName.make()
        let root = volume.root.rawValue
        let parent = into.rawValue
        let descriptor = try system { () throws(Errno) in
            try FileCall.open(draft, in: root, [.readWrite, .createNew], mode: 0o600)
        }
        do throws(TransferFault) {
            let file = SealedFile(descriptor, nonce: .random(), keys: volume.keys)
            try system { () throws(Errno) in try file.writeHeader() }
            try body(file)
            try system { () throws(Errno) in
                try FileCall.rename(draft, in: root, to: name, in: parent)
            }
        } catch {
            try? FileCall.unlink(draft, in: root)
            throw error
        }
    }

    private func isUnchanged(
        _ name: FileName,
        _ into: borrowing OwnedDescriptor,
        _ source: FileStatus,
        _ buffers: TransferBuffers
    ) throws(TransferFault) -> Bool {
        guard let status = try? FileStatus(in: into.rawValue, named: name),
            status.kind == .regular, status.modified == source.modified,
            (try? RcloneContent.plaintextCount(forCiphertext: status.size)) == source.size
        else { return false }
        guard let file = try? volume.openFile(name, in: into) else { return false }
        // The header's nonce is right if the first block opens.
        let first = min(source.size, UInt64(SealedFile.blockCount))
        return first == 0 || (try? file.read(at: 0, size: first, buffers)) != nil
    }

    /// Onto the disk, and out of the cache, so that reading back reads the disk.
    private func synchronize(_ descriptor: Int32) throws(TransferFault) {
        try system { () throws(Errno) in try FileCall.synchronize(descriptor) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }
}
