internal import Linux
internal import VolumeFormat

// Completing what a kill cut short.
extension GocryptfsFile {
    /// Writes blocks of which only a part was written when the last writer was killed.
    ///
    /// Only blocks that do not authenticate are replaced, by ones that do and are bound to their places, where a part of
    /// what was being written is there: nothing is lost by it, and nothing older comes back.
    ///
    /// - Returns: Whether something was.
    func completeInterruptedWrites() throws(Errno) -> Bool {
        guard let id, let intents = storage.intents else { return false }
        let completed = try intents.seeToInterruptedWrites(to: id) { writes throws(Errno) in
            try complete(writes, of: id)
        }
        guard completed > 0 else { return false }
        Log.warning(
            "A write that a kill had cut short was completed",
            ["stored_name": name.description, "blocks": String(completed)]
        )
        return true
    }

    /// Writes the blocks that are needed.
    ///
    /// - Returns: How many.
    private func complete(
        _ writes: [InterruptedWrite],
        of id: GocryptfsFileID
    ) throws(Errno) -> Int {
        let checker = try BlockChecker(storage, id)
        var sound: Set<UInt64> = []
        var completed = 0
        // The latest of several is what was under way.
        for write in writes {
            var broken: [NotedBlock] = []
            for block in try blocks(of: write) where !sound.contains(block.index) {
                if block.stored.isEmpty || checker.opens(block.stored[...], at: block.index) {
                    sound.insert(block.index)
                } else {
                    broken.append(block)
                }
            }
            // Otherwise it was not begun, or something else was written since.
            guard broken.contains(where: \.isStoredInPart) else { continue }
            for block in broken where checker.opens(block.sealed, at: block.index) {
                try store(block)
                sound.insert(block.index)
                completed += 1
            }
        }
        return completed
    }

    private func blocks(of write: InterruptedWrite) throws(Errno) -> [NotedBlock] {
        let blockCount = storage.geometry.sealedBlockCount
        let file = descriptor.rawValue
        var blocks: [NotedBlock] = []
        for start in stride(from: 0, to: write.sealed.count, by: blockCount) {
            let offset = write.offset &+ UInt64(start)
            guard let index = storage.geometry.index(ofBlockAt: offset) else { continue }
            var stored = [UInt8](repeating: 0, count: blockCount)
            let count = try stored.withUnsafeMutableBufferPointer { stored throws(Errno) in
                try FileCall.read(file, at: offset, into: UnsafeMutableRawBufferPointer(stored))
            }
            blocks.append(
                NotedBlock(
                    index: index,
                    offset: offset,
                    sealed: write.sealed[start..<min(start + blockCount, write.sealed.count)],
                    stored: Array(stored[..<count])
                )
            )
        }
        return blocks
    }

    private func store(_ block: NotedBlock) throws(Errno) {
        let file = descriptor.rawValue
        try block.sealed.withUnsafeBufferPointer { sealed throws(Errno) in
            try FileCall.write(file, at: block.offset, UnsafeRawBufferPointer(sealed))
        }
        // A short block is the last: the file was being cut off behind it.
        if block.stored.count > block.sealed.count {
            try FileCall.truncate(file, to: block.offset + UInt64(block.sealed.count))
        }
    }
}

/// A block that was about to be written, and what is where it belongs.
private struct NotedBlock {
    let index: UInt64

    /// Where it belongs in the stored file, in bytes.
    let offset: UInt64
    let sealed: ArraySlice<UInt8>
    let stored: [UInt8]

    /// Whether what one page has of it is there: a write stops between two pages of the storage, and seals of a
    /// block have no byte in common but by chance.
    var isStoredInPart: Bool {
        let page = Int(GocryptfsFile.storedPage)
        let place = Int(offset % GocryptfsFile.storedPage)
        var start = 0
        while start < sealed.count {
            let end = min(start + page - (place + start) % page, sealed.count)
            let part = sealed.dropFirst(start).prefix(end - start)
            if stored.count >= end, stored[start..<end].elementsEqual(part) { return true }
            start = end
        }
        return false
    }
}

extension GocryptfsStorage {
    /// Completes what concerns a file; the kernel remembers its length from here on.
    func settle(
        _ status: FileStatus,
        named name: FileName,
        in directory: Directory
    ) throws(Errno) -> FileStatus {
        guard let intents, intents.hasInterruptedWrites, status.kind == .regular, status.size > 0
        else {
            return status
        }
        let parent = directory.descriptor.rawValue
        do throws(Errno) {
            let file = try FileCall.open(name, in: parent, [.readWrite, .nonBlocking])
            _ = try GocryptfsFile(opening: file, named: name, storage: self)
        } catch {
            // Who opens it is told.
            return status
        }
        return try FileStatus(in: parent, named: name)
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
