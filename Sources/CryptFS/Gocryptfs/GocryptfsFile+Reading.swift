internal import Linux
internal import VolumeFormat

// Reading: one pread a run of blocks, opened straight into the memory the answer is sent from.
extension GocryptfsFile {
    func read(
        at offset: UInt64,
        count: Int,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        if count > 16 << 10 { scratch.isUsed = true }
        let last = GocryptfsGeometry.block(at: offset &+ UInt64(count - 1)).index
        let (first, skip) = GocryptfsGeometry.block(at: offset)
        // Looking again may change the file's number.
        let range =
            storage.isShared
            ? BlockRangeLock.Range(first: 0, last: .max, isExclusive: true)
            : BlockRangeLock.Range(first: first, last: last, isExclusive: false)
        let slot = ranges.acquire(range)
        defer { ranges.release(slot) }
        if storage.isShared { try lookAgain() }
        if isDamaged { throw .inputOutput }
        let size = size
        guard offset < size else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let end = min(offset + UInt64(count), size)
        let wanted = Int(end - offset) + skip
        let available = Int(
            min(size - first * UInt64(GocryptfsGeometry.blockCount), UInt64(Int.max))
        )
        // To the end of the last block, as far as there is content.
        let whole = min(wanted.roundedUpToBlock, available)
        let plain = UnsafeMutableRawBufferPointer(rebasing: scratch.plain[..<whole])
        try open(blocksFrom: first, into: plain, sealed: scratch.sealed, scratch: scratch)
        return UnsafeRawBufferPointer(rebasing: plain[skip..<wanted])
    }

    /// Reads and opens consecutive blocks, with them held.
    ///
    /// - Parameters:
    ///   - first: The first block's index.
    ///   - plain: Receives the content; ends with a block or with the file.
    ///   - sealed: Room for the stored blocks.
    ///   - scratch: Has the thread's key.
    /// - Throws: `EIO` where one is damaged.
    func open(
        blocksFrom first: UInt64,
        into plain: UnsafeMutableRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) {
        guard let id else { throw .inputOutput }
        let cipher = try storage.cipher(of: scratch)
        let geometry = storage.geometry
        let room = UnsafeMutableRawBufferPointer(
            rebasing: sealed[..<geometry.sealedCount(ofBlocks: plain.count)]
        )
        let offset = try translating { () throws(VolumeFormatError) in
            try geometry.offset(ofBlock: first)
        }
        let count = try FileCall.read(descriptor.rawValue, at: offset, into: room)
        // Cut off underneath, since the length was looked up.
        guard count == room.count else { throw .inputOutput }
        try translating { () throws(VolumeFormatError) in
            try cipher.content.open(UnsafeRawBufferPointer(room), from: first, of: id, into: plain)
        }
    }
}

extension Int {
    /// The next multiple of a block's length.
    var roundedUpToBlock: Int {
        let block = GocryptfsGeometry.blockCount
        return (self + block - 1) / block * block
    }
}
