internal import Linux
internal import VolumeFormat

// Completing what a kill cut short.
extension GocryptfsFile {
    /// Writes blocks of which only a part was written when the last writer was killed.
    ///
    /// Only a block that does not authenticate is replaced, by one that does, is bound to its place and is there in
    /// part: nothing is lost by it, and nothing older comes back.
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
        let blockCount = storage.geometry.sealedBlockCount
        let checker = try BlockChecker(storage, id)
        var seen: Set<UInt64> = []
        var completed = 0
        for write in writes {
            for start in stride(from: 0, to: write.sealed.count, by: blockCount) {
                let offset = write.offset &+ UInt64(start)
                // The latest of several is what was under way.
                guard let index = storage.geometry.index(ofBlockAt: offset), !seen.contains(index)
                else { continue }
                let new = write.sealed[start..<min(start + blockCount, write.sealed.count)]
                var old = [UInt8](repeating: 0, count: blockCount)
                let file = descriptor.rawValue
                let count = try old.withUnsafeMutableBufferPointer { old throws(Errno) in
                    try FileCall.read(file, at: offset, into: UnsafeMutableRawBufferPointer(old))
                }
                if count == 0 || checker.opens(old[..<count], at: index) {
                    seen.insert(index)
                    continue
                }
                guard Self.isPart(old[..<count], of: new, at: offset),
                    checker.opens(new, at: index)
                else { continue }
                try new.withUnsafeBufferPointer { new throws(Errno) in
                    try FileCall.write(file, at: offset, UnsafeRawBufferPointer(new))
                }
                // A short block is the last: the file was being cut off behind it.
                if count > new.count {
                    try FileCall.truncate(file, to: offset + UInt64(new.count))
                }
                seen.insert(index)
                completed += 1
            }
        }
        return completed
    }

    /// Whether what is stored came of writing a block that is not there as a whole.
    ///
    /// A write stops between two pages of the storage, and ``storePart(_:at:before:)`` may begin with the last.
    /// So what there is of the block in its first page, or in its last one, is this one's; seals of a block have no
    /// byte in common but by chance.
    ///
    /// - Parameters:
    ///   - stored: What is where the block belongs.
    ///   - sealed: The block.
    ///   - offset: Where it belongs, in bytes.
    /// - Returns: Whether one of the two pages' parts is the block's.
    private static func isPart(
        _ stored: ArraySlice<UInt8>,
        of sealed: ArraySlice<UInt8>,
        at offset: UInt64
    ) -> Bool {
        let page = Int(storedPage)
        let place = Int(offset % storedPage)
        let first = min(page - place, sealed.count)
        let last = max((place + sealed.count - 1) / page * page - place, 0)
        return stored.prefix(first).elementsEqual(sealed.prefix(first))
            || stored.dropFirst(last).prefix(sealed.count - last)
                .elementsEqual(sealed.dropFirst(last))
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
