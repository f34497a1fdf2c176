internal import Linux
internal import VolumeFormat

// Completing what was cut short.
extension GocryptfsFile {
    /// Writes blocks of which only a part was written when the last writer was killed, or lost its machine.
    ///
    /// Only blocks that do not authenticate are replaced, by ones that do and are bound to their places, where a part of
    /// what was being written is there: nothing is lost by it, and nothing older comes back. Where nothing had been
    /// before, what arrived in part only becomes zeros again, or the file ends before it.
    ///
    /// - Returns: Whether something was.
    func completeInterruptedWrites() throws(Errno) -> Bool {
        guard let id, let intents = storage.intents else { return false }
        let file = descriptor.rawValue
        let completed = try intents.seeToNotes(of: id) { writes throws(Errno) in
            let completion = try Completion(of: file, id, in: storage)
            for write in writes { try completion.complete(write) }
            return completion.count
        } synchronizing: { () throws(Errno) in
            try FileCall.synchronize(file)
        }
        guard completed > 0 else { return false }
        Log.warning(
            "A write that was cut short was completed",
            ["stored_name": name.description, "blocks": String(completed)]
        )
        return true
    }
}

/// Completes one file.
private final class Completion {
    /// How many blocks were written.
    private(set) var count = 0

    private let file: Int32
    private let geometry: GocryptfsGeometry
    private let checker: BlockChecker

    init(
        of file: Int32,
        _ id: GocryptfsFileID,
        in storage: GocryptfsStorage
    ) throws(Errno) {
        self.file = file
        geometry = storage.geometry
        checker = try BlockChecker(storage, id)
    }

    /// Writes what is needed of one write; to be called with the latest first, which is what was under way.
    func complete(_ write: InterruptedWrite) throws(Errno) {
        switch write.note.content {
        case .sealed: try complete(write.note, try write.sealed())
        case .zeros: try complete(write.note)
        }
    }

    private func complete(_ note: WriteNote, _ sealed: [UInt8]) throws(Errno) {
        let blockCount = geometry.sealedBlockCount
        for start in stride(from: 0, to: sealed.count, by: blockCount) {
            let offset = note.offset &+ UInt64(start)
            let part = sealed[start..<min(start + blockCount, sealed.count)]
            // Otherwise it was not begun, or something else was written since.
            guard let block = try brokenBlock(at: offset, part),
                block.isStoredInPart || block.isAllZeros || shorterBlock(block) != nil,
                checker.opens(block.sealed, at: block.index)
            else { continue }
            try store(block)
        }
    }

    /// How long a block is that is whole and has only zeros behind it; nil for any other.
    ///
    /// It was the last, and short: the file's new length came before what it is of.
    private func shorterBlock(_ block: NotedBlock) -> Int? {
        guard let last = block.stored.lastIndex(where: { $0 != 0 }) else { return nil }
        // The tag may end in zeros.
        let longest = min(block.stored.count - 1, last + 1 + geometry.overhead)
        guard last + 1 <= longest else { return nil }
        return (last + 1...longest).first {
            checker.opens(block.stored[..<$0], at: block.index)
        }
    }

    /// Of a range that was all zeros before, or was to become that.
    private func complete(_ note: WriteNote) throws(Errno) {
        let blockCount = UInt64(geometry.sealedBlockCount)
        let zeros = [UInt8](repeating: 0, count: Int(blockCount))
        let (noted, size) = (note.offset + note.count, try FileStatus(of: file).size)
        let end = min(noted, size)
        var offset = note.offset
        while offset < end {
            guard let data = try FileCall.find(.data, in: file, from: offset), data < end else {
                return
            }
            // To the beginning of its block.
            offset += (max(data, offset) - offset) / blockCount * blockCount
            if let block = try brokenBlock(at: offset, zeros[...]) {
                let isLast = block.stored.count < zeros.count
                let isCut = size < noted && size % GocryptfsFile.storedPage == 0
                if isLast, let count = shorterBlock(block) {
                    try cut(to: offset + UInt64(count))
                } else if isLast, isCut || block.isStoredInPart {
                    try cut(to: offset)
                } else if !isLast, block.isStoredInPart {
                    try store(block)
                }
            }
            offset += blockCount
        }
    }

    /// A block that does not authenticate; nil for one that does, or is not there.
    private func brokenBlock(
        at offset: UInt64,
        _ sealed: ArraySlice<UInt8>
    ) throws(Errno) -> NotedBlock? {
        guard let index = geometry.index(ofBlockAt: offset) else { return nil }
        var stored = [UInt8](repeating: 0, count: geometry.sealedBlockCount)
        let count = try stored.withUnsafeMutableBufferPointer { stored throws(Errno) in
            try FileCall.read(file, at: offset, into: UnsafeMutableRawBufferPointer(stored))
        }
        stored.removeSubrange(count...)
        if stored.isEmpty || checker.opens(stored[...], at: index) { return nil }
        return NotedBlock(index: index, offset: offset, sealed: sealed, stored: stored)
    }

    private func cut(to end: UInt64) throws(Errno) {
        try FileCall.truncate(file, to: end)
        count += 1
    }

    private func store(_ block: NotedBlock) throws(Errno) {
        try block.sealed.withUnsafeBufferPointer { sealed throws(Errno) in
            try FileCall.write(file, at: block.offset, UnsafeRawBufferPointer(sealed))
        }
        // A short block is the last: the file was being cut off behind it.
        if block.stored.count > block.sealed.count {
            try FileCall.truncate(file, to: block.offset + UInt64(block.sealed.count))
        }
        count += 1
    }
}

/// A block that was about to be written, and what is where it belongs.
private struct NotedBlock {
    let index: UInt64

    /// Where it belongs in the stored file, in bytes.
    let offset: UInt64
    let sealed: ArraySlice<UInt8>
    let stored: [UInt8]

    /// Whether nothing of it arrived, although the file is as long.
    var isAllZeros: Bool { stored.allSatisfy { $0 == 0 } }

    /// What a disk writes whole, in bytes; a kill stops between pages, which are more of them.
    private static let sector = 512

    /// Whether what one sector has of it is there: seals of a block have no byte in common but by chance.
    var isStoredInPart: Bool {
        let place = Int(offset % UInt64(Self.sector))
        var start = 0
        while start < min(sealed.count, stored.count) {
            let next = start + Self.sector - (place + start) % Self.sector
            let range = start..<min(next, sealed.count, stored.count)
            if stored[range].elementsEqual(sealed.dropFirst(start).prefix(range.count)) {
                return true
            }
            start = next
        }
        return false
    }
}

/// Tells whether sealed blocks are a file's.
private final class BlockChecker {
    private let id: GocryptfsFileID
    private let overhead: Int
    private var content: GocryptfsContent
    private var plain = [UInt8](repeating: 0, count: GocryptfsGeometry.blockCount)

    init(_ storage: GocryptfsStorage, _ id: GocryptfsFileID) throws(Errno) {
        self.id = id
        overhead = storage.geometry.overhead
        do throws(VolumeFormatError) {
            content = try GocryptfsContent(keys: storage.keys)
        } catch {
            throw .noMemory
        }
    }

    deinit {
        plain.withUnsafeMutableBytes { $0.zero() }
    }

    func opens(_ sealed: ArraySlice<UInt8>, at index: UInt64) -> Bool {
        guard sealed.count > overhead else { return false }
        return sealed.withUnsafeBytes { sealed in
            plain.withUnsafeMutableBytes { plain in
                let room = UnsafeMutableRawBufferPointer(
                    rebasing: plain[..<(sealed.count - overhead)]
                )
                return (try? content.open(sealed, from: index, of: id, into: room)) != nil
            }
        }
    }
}

extension GocryptfsGeometry {
    /// Which block begins at a place of the stored file; nil where none does.
    fileprivate func index(ofBlockAt offset: UInt64) -> UInt64? {
        guard offset >= UInt64(Self.headerCount), offset <= UInt64(Int64.max) else { return nil }
        let (index, rest) = (offset - UInt64(Self.headerCount))
            .quotientAndRemainder(dividingBy: UInt64(sealedBlockCount))
        return rest == 0 ? index : nil
    }
}
