internal import CryptFS
internal import Linux
internal import VolumeFormat

/// A stored file, open: for one thread.
enum StoredFile {
    case rclone(SealedFile)
    case gocryptfs(GocryptfsStoredFile)

    var descriptor: Int32 {
        switch self {
        case .rclone(let file): file.descriptor.rawValue
        case .gocryptfs(let file): file.descriptor.rawValue
        }
    }

    /// The length of its content at present, in bytes.
    func contentSize() throws(TransferFault) -> UInt64 {
        switch self {
        case .rclone(let file):
            return try stored { () throws(SealedFileError) in try file.storedContentSize() }
        case .gocryptfs(let file): return try file.contentSize()
        }
    }

    /// Reads content.
    ///
    /// - Parameters:
    ///   - offset: Where a block begins.
    ///   - size: The content's length.
    ///   - plain: Receives it; whole blocks, ``TransferBuffers/pieceCount`` bytes at most.
    ///   - sealed: Room for as much, sealed.
    /// - Returns: How many bytes: a buffer full, fewer only at the end.
    /// - Throws: ``TransferFault``.
    func read(
        at offset: UInt64,
        size: UInt64,
        into plain: UnsafeMutableRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(TransferFault) -> Int {
        let count = Int(min(UInt64(plain.count), size - offset))
        switch self {
        case .rclone(let file):
            try stored { () throws(SealedFileError) in
                try file.open(
                    blocksFrom: offset / UInt64(SealedFile.blockCount),
                    size: size,
                    into: plain,
                    sealed: sealed
                )
            }
        case .gocryptfs(let file):
            try file.read(
                at: offset,
                into: UnsafeMutableRawBufferPointer(rebasing: plain[..<count]),
                sealed: sealed
            )
        }
        return count
    }

    /// Reads content from its first byte to its last.
    ///
    /// - Parameters:
    ///   - size: The content's length.
    ///   - buffers: Memory for it.
    ///   - body: Gets successive pieces, in ``TransferBuffers/plain``, and where each begins.
    /// - Throws: ``TransferFault``, also what `body` throws.
    func forEachPiece(
        size: UInt64,
        _ buffers: TransferBuffers,
        _ body: (UnsafeRawBufferPointer, UInt64) throws(TransferFault) -> Void
    ) throws(TransferFault) {
        var offset: UInt64 = 0
        while offset < size {
            let count = try read(
                at: offset,
                size: size,
                into: buffers.plain,
                sealed: buffers.sealed
            )
            try body(UnsafeRawBufferPointer(rebasing: buffers.plain[..<count]), offset)
            offset += UInt64(count)
        }
    }

    /// The length of a block's content, in bytes.
    var blockCount: Int {
        switch self {
        case .rclone: SealedFile.blockCount
        case .gocryptfs: GocryptfsGeometry.blockCount
        }
    }

    /// Where there is content; what is passed over in a new file stays a hole.
    var map: ContentMap {
        switch self {
        case .rclone: .everywhere
        case .gocryptfs(let file): .stored(file.holes)
        }
    }

    /// Writes content of a new file.
    ///
    /// - Parameters:
    ///   - offset: Where a block begins that was not written yet.
    ///   - plain: Whole blocks; the last is short only at the end.
    ///   - sealed: Room for it, sealed.
    /// - Throws: ``TransferFault``.
    func write(
        at offset: UInt64,
        _ plain: UnsafeRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(TransferFault) {
        switch self {
        case .rclone(let file):
            try system { () throws(Errno) in
                try file.seal(
                    blocksFrom: offset / UInt64(SealedFile.blockCount),
                    plain,
                    sealed: sealed
                )
            }
        case .gocryptfs(let file): try file.write(at: offset, plain, sealed: sealed)
        }
    }

    /// Writes zeros over a block, whatever was there.
    ///
    /// - Parameters:
    ///   - block: Its index.
    ///   - size: The content's length.
    ///   - buffers: Memory to do so.
    /// - Throws: ``TransferFault``; `EOPNOTSUPP` where a block's nonce belongs to its place.
    func zero(block: UInt64, size: UInt64, _ buffers: TransferBuffers) throws(TransferFault) {
        guard case .gocryptfs(let file) = self else { throw .system(.notSupported) }
        let offset = block * UInt64(blockCount)
        let plain = UnsafeMutableRawBufferPointer(
            rebasing: buffers.plain[..<Int(min(UInt64(blockCount), size - offset))]
        )
        plain.initializeMemory(as: UInt8.self, repeating: 0)
        try file.write(at: offset, UnsafeRawBufferPointer(plain), sealed: buffers.sealed)
    }

    /// Cuts off what is at the end and too short for a block.
    ///
    /// - Returns: The block's index; nil where there is none.
    /// - Throws: ``TransferFault``.
    func cutBrokenEnd() throws(TransferFault) -> UInt64? {
        guard case .gocryptfs(let file) = self else { return nil }
        return try file.cutBrokenEnd()
    }
}

extension StoredVolume {
    /// Opens a stored file, and nothing that is not one.
    func openFile(
        _ name: FileName,
        in directory: borrowing OwnedDescriptor,
        isWritten: Bool = false
    ) throws(TransferFault) -> StoredFile {
        let parent = directory.rawValue
        let descriptor = try system { () throws(Errno) in
            try FileCall.open(name, in: parent, [isWritten ? .readWrite : .readOnly, .nonBlocking])
        }
        let number = descriptor.rawValue
        let status = try system { () throws(Errno) in try FileStatus(of: number) }
        guard status.kind == .regular else {
            throw .system(status.kind == .directory ? .isDirectory : .invalidArgument)
        }
        switch cipher {
        case .rclone(let keys, _):
            do throws(SealedFileError) {
                return .rclone(try SealedFile(opening: descriptor, keys: keys))
            } catch {
                switch error {
                case .system(let errno): throw .system(errno)
                case .damaged(let cause): throw .damaged(cause)
                }
            }
        case .gocryptfs(let keys, _):
            return .gocryptfs(
                try GocryptfsStoredFile(opening: descriptor, size: status.size, keys: keys)
            )
        }
    }

    /// Makes a file's beginning in an empty file.
    func beginFile(_ descriptor: consuming OwnedDescriptor) throws(TransferFault) -> StoredFile {
        switch cipher {
        case .rclone(let keys, _):
            let file = SealedFile(descriptor, nonce: .random(), keys: keys)
            try system { () throws(Errno) in try file.writeHeader() }
            return .rclone(file)
        case .gocryptfs(let keys, _):
            return .gocryptfs(try GocryptfsStoredFile(making: descriptor, keys: keys))
        }
    }
}
