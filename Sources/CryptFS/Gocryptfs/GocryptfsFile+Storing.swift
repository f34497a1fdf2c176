internal import Cryptography
internal import Linux
internal import Synchronization
internal import VolumeFormat

// From content to the stored file.
extension GocryptfsFile {
    /// Seals blocks into the scratch.
    ///
    /// - Returns: How many bytes they take there.
    func seal(
        _ plain: UnsafeRawBufferPointer,
        from index: UInt64,
        at position: Int,
        scratch: Scratch
    ) throws(Errno) -> Int {
        let count = storage.geometry.sealedCount(ofBlocks: plain.count)
        let room = UnsafeMutableRawBufferPointer(
            rebasing: scratch.sealed[position..<position + count]
        )
        try seal(plain, from: index, into: room, scratch: scratch)
        return count
    }

    /// Seals blocks.
    func seal(
        _ plain: UnsafeRawBufferPointer,
        from index: UInt64,
        into sealed: UnsafeMutableRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) {
        guard let id else { throw .inputOutput }
        let cipher = try storage.cipher(of: scratch)
        try translating { () throws(VolumeFormatError) in
            try cipher.content.seal(plain, from: index, of: id, into: sealed)
        }
    }

    /// Writes the header of a file whose number was just drawn.
    func storeHeader(_ scratch: Scratch) throws(Errno) {
        try writeHeader(into: scratch.sealed)
        let count = GocryptfsGeometry.headerCount
        let header = UnsafeRawBufferPointer(rebasing: scratch.sealed[..<count])
        try store(header, at: 0, size: 0, scratch: scratch)
    }

    func writeHeader(into sealed: UnsafeMutableRawBufferPointer) throws(Errno) {
        guard let id else { throw .inputOutput }
        try translating { () throws(VolumeFormatError) in
            try GocryptfsFileHeader(id: id).write(into: sealed)
        }
    }

    /// Writes sealed blocks.
    func store(
        _ sealed: UnsafeRawBufferPointer,
        fromBlock index: UInt64,
        size: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let offset = try translating { () throws(VolumeFormatError) in
            try storage.geometry.offset(ofBlock: index)
        }
        try store(sealed, at: offset, size: size, scratch: scratch)
    }

    /// What the storage's cache is made of.
    static let storedPage: UInt64 = 4096

    /// Has the pages come that will be written in part.
    ///
    /// pwrite waits for them with the whole file locked (`inode_lock`), so that writes in several places
    /// would wait for the disk one after the other.
    private func startReadingEnds(of count: Int, at offset: UInt64, before end: UInt64) {
        let page = Self.storedPage
        let first = offset / page * page
        let last = (offset + UInt64(count)) / page * page
        if last - first <= page {
            startReading(first..<min(last + page, end))
        } else {
            if first < offset { startReading(first..<first + page) }
            if last < end { startReading(last..<last + page) }
        }
    }

    private func startReading(_ range: Range<UInt64>) {
        let count = Int(range.upperBound - range.lowerBound)
        FileCall.startReading(descriptor.rawValue, at: range.lowerBound, count: count)
    }

    /// Writes stored bytes; what fails leaves no block that is half the new one, half the old.
    func store(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        size: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let stored = try translating { () throws(VolumeFormatError) in
            try storage.geometry.storedCount(forPlaintext: size)
        }
        if hasHoles.load(ordering: .relaxed), offset < stored {
            // Where nothing is yet, the room may run out in the middle of a block.
            do throws(Errno) {
                try FileCall.allocate(
                    descriptor.rawValue,
                    at: offset,
                    count: UInt64(bytes.count),
                    .keepSize
                )
            } catch  where error != .noSpace {
                // Not every file system can.
            }
        }
        do throws(Errno) {
            try storeParts(of: bytes, at: offset, before: stored, scratch: scratch)
        } catch {
            // What was appended goes again.
            if offset + UInt64(bytes.count) > stored {
                try? FileCall.truncate(descriptor.rawValue, to: stored)
            }
            // The storage below takes no changes, or this file does not.
            throw error == .badDescriptor ? .readOnlyFileSystem : error
        }
    }

    /// Writes stored bytes, noting first what a kill must not cut short: all but what is long and only appended.
    private func storeParts(
        of bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        before stored: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let slot = try storage.cipher(of: scratch).intentSlot
        guard let intents = storage.intents, let slot, let id else {
            return try storePart(bytes, at: offset, before: stored)
        }
        let header = GocryptfsGeometry.headerCount
        let whole = storage.geometry.sealedBlockCount
        let longest = WriteIntents.longestCount / whole * whole
        // The header is in one page, and needs none.
        var done = offset == 0 ? min(header, bytes.count) : 0
        let isShort = bytes.count - done <= longest
        if !isShort, offset >= stored { return try storePart(bytes, at: offset, before: stored) }
        var begin = 0
        repeat {
            let end = min(done + longest, bytes.count)
            let place = offset + UInt64(done)
            if isShort || place < stored {
                let blocks = UnsafeRawBufferPointer(rebasing: bytes[done..<end])
                intents.note(blocks, at: place, of: id, in: slot)
            }
            try storePart(
                UnsafeRawBufferPointer(rebasing: bytes[begin..<end]),
                at: offset + UInt64(begin),
                before: stored
            )
            begin = end
            done = end
        } while done < bytes.count
    }

    /// Where there is no room, what needs some is written first.
    private func storePart(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        before stored: UInt64
    ) throws(Errno) {
        let page = Self.storedPage
        let taken = (stored + page - 1) / page * page
        if offset < stored { startReadingEnds(of: bytes.count, at: offset, before: taken) }
        // The last block is stored again and becomes longer: first what needs new room.
        if offset < stored, taken < offset + UInt64(bytes.count) {
            let split = Int(taken - offset)
            try FileCall.write(
                descriptor.rawValue,
                at: taken,
                UnsafeRawBufferPointer(rebasing: bytes[split...])
            )
            try FileCall.write(
                descriptor.rawValue,
                at: offset,
                UnsafeRawBufferPointer(rebasing: bytes[..<split])
            )
        } else {
            try FileCall.write(descriptor.rawValue, at: offset, bytes)
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Sets all bytes to zero.
    func zero() {
        guard !isEmpty else { return }
        initializeMemory(as: UInt8.self, repeating: 0)
    }
}
