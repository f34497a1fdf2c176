internal import Linux
internal import Synchronization

// Reading. Allocates nothing.
extension RcloneFile {
    func read(
        at offset: UInt64,
        count: Int,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        try lock.withReading { () throws(Errno) in
            let size = size
            guard offset < size else { return UnsafeRawBufferPointer(start: nil, count: 0) }
            let count = Int(min(UInt64(count), size - offset))
            let blockCount = UInt64(SealedFile.blockCount)
            let first = offset / blockCount
            let skipped = Int(offset % blockCount)
            let blocks = (skipped + count + Int(blockCount) - 1) / Int(blockCount)
            let plain = UnsafeMutableRawBufferPointer(
                rebasing: scratch.plain[..<(blocks * Int(blockCount))]
            )
            if plain.count > SealedFile.blockCount { scratch.isUsed = true }
            try fill(plain, blocksFrom: first, sealed: scratch.sealed)
            return UnsafeRawBufferPointer(rebasing: plain[skipped..<skipped + count])
        }
    }

    /// Reads whole blocks as they are at present, wherever they lie, with `lock` held.
    ///
    /// What lies behind the end of the file is zeros.
    ///
    /// - Parameters:
    ///   - plain: Receives the blocks.
    ///   - first: The first one's index.
    ///   - sealed: Room for as many sealed blocks.
    /// - Throws: `EIO` where one does not authenticate.
    func fill(
        _ plain: UnsafeMutableRawBufferPointer,
        blocksFrom first: UInt64,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        let blocks = plain.count / SealedFile.blockCount
        var block = 0
        while block < blocks {
            let origin = origin(ofBlock: first + UInt64(block))
            let start = block
            repeat {
                block += 1
            } while block < blocks
                && self.origin(ofBlock: first + UInt64(block)) == origin
            try fill(
                UnsafeMutableRawBufferPointer(
                    rebasing: plain[
                        (start * SealedFile.blockCount)..<(block * SealedFile.blockCount)
                    ]
                ),
                from: origin,
                blocksFrom: first + UInt64(start),
                sealed: sealed
            )
        }
        guard let changes = state.changes else { return }
        for block in 0..<blocks {
            let start = block * SealedFile.blockCount
            try changes.apply(
                toBlock: first + UInt64(block),
                UnsafeMutableRawBufferPointer(
                    rebasing: plain[start..<start + SealedFile.blockCount]
                ),
                sealed: sealed
            )
        }
    }

    private func fill(
        _ plain: UnsafeMutableRawBufferPointer,
        from origin: Origin,
        blocksFrom first: UInt64,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        do throws(SealedFileError) {
            switch origin {
            case .nowhere:
                plain.initializeMemory(as: UInt8.self, repeating: 0)
            case .changesOnly:
                break
            case .draft:
                try state.draft?.file.open(
                    blocksFrom: first,
                    size: .max,
                    into: plain,
                    sealed: sealed
                )
            case .base:
                try state.base.file.open(
                    blocksFrom: first,
                    size: state.base.size,
                    into: plain,
                    sealed: sealed
                )
                // Cut off and perhaps grown again since: zeros.
                let start = first * UInt64(SealedFile.blockCount)
                let valid = Int(min(UInt64(plain.count), state.baseLimit - start))
                UnsafeMutableRawBufferPointer(rebasing: plain[valid...])
                    .initializeMemory(as: UInt8.self, repeating: 0)
            }
        } catch {
            throw errno(for: error)
        }
    }

    /// Where a block lies, apart from changed pages.
    private enum Origin {
        case nowhere
        case base
        case draft

        /// Every page of it was changed.
        case changesOnly
    }

    private func origin(ofBlock block: UInt64) -> Origin {
        if let changes = state.changes, changes.pages(ofBlock: block) == .max {
            return .changesOnly
        }
        if let draft = state.draft, draft.blocks.contains(block) { return .draft }
        let isCounted = block * UInt64(SealedFile.blockCount) < state.baseLimit
        return isCounted && state.base.has(block) ? .base : .nowhere
    }
}
