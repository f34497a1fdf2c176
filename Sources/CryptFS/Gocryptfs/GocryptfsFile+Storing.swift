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

    /// Writes stored bytes, noting first what must not be cut short; of what is long and only appended, that it is.
    private func storeParts(
        of bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        before stored: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        guard let notes = try notes(of: scratch) else {
            return try storePart(bytes, at: offset, before: stored)
        }
        let whole = storage.geometry.sealedBlockCount
        let longest = notes.longestCount / whole * whole
        // The header is in one page, and needs none; but where it comes alone somebody has to know whose it is.
        let header = GocryptfsGeometry.headerCount
        if offset == 0, bytes.count == header {
            if needsJournal {
                let first = UInt64(header)..<UInt64(header + whole)
                try notes.noteZeros(in: first, of: self, isDurable: true)
            }
            return try storePart(bytes, at: offset, before: stored)
        }
        var done = offset == 0 ? header : 0
        let isLong = bytes.count - done > Self.longestWhollyNoted
        let isPromised = needsJournal
        var begin = 0
        repeat {
            let place = offset + UInt64(done)
            var next = min(done + longest, bytes.count)
            if isPromised || !isLong || place < stored {
                try notes.note(
                    UnsafeRawBufferPointer(rebasing: bytes[done..<next]),
                    at: place,
                    of: self,
                    isDurable: isPromised || storage.keepsJournal && place < stored
                )
            } else {
                next = bytes.count
                try notes.noteZeros(
                    in: place..<offset + UInt64(bytes.count),
                    of: self,
                    isDurable: storage.keepsJournal
                )
            }
            try storePart(
                UnsafeRawBufferPointer(rebasing: bytes[begin..<next]),
                at: offset + UInt64(begin),
                before: stored
            )
            begin = next
            done = next
        } while done < bytes.count
    }

    /// Nobody commits by more, unless it was promised to stay.
    private static let longestWhollyNoted = 128 << 10

    /// Where to note what is about to be written; nil where that is not done.
    func notes(of scratch: Scratch) throws(Errno) -> ThreadNotes? {
        guard id != nil, let intents = storage.intents else { return nil }
        let notes = try storage.cipher(of: scratch).notes
        // More threads than there is room for; without a journal that is a kill's risk.
        if notes == nil, intents.isJournal { throw .noMemory }
        return notes
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
