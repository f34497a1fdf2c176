internal import Linux
internal import Synchronization
internal import VolumeFormat

// Lengths, and room.
extension GocryptfsFile {
    func truncate(to size: UInt64, scratch: Scratch) throws(Errno) {
        guard size <= storage.geometry.maximumPlaintextCount else { throw .fileTooLarge }
        try withAllBlocks { () throws(Errno) in
            let old = self.size
            if size == 0 {
                try resizeStored(to: 0)
                wasResized(to: 0)
                return
            }
            if isDamaged { throw .inputOutput }
            if size < old {
                try cut(to: size, from: old, scratch: scratch)
            } else if size > old {
                try extend(to: size, from: old, scratch: scratch)
            } else {
                // The times change all the same.
                try resizeStored(to: try storedCount(of: size))
            }
        }
    }

    private func cut(to size: UInt64, from old: UInt64, scratch: Scratch) throws(Errno) {
        let (index, count) = GocryptfsGeometry.block(at: size)
        let start = index * UInt64(GocryptfsGeometry.blockCount)
        let whole = Int(min(old - start, UInt64(GocryptfsGeometry.blockCount)))
        guard count > 0 else {
            let stored = try storedCount(of: size)
            // The rest of the last page becomes zeros, on the disk perhaps before the file is shorter.
            if needsJournal {
                let block = UInt64(storage.geometry.sealedBlockCount)
                try notes(of: scratch)?.noteZeros(
                    in: stored..<stored + block,
                    of: self,
                    isDurable: true
                )
            }
            try resizeStored(to: stored)
            wasResized(to: size)
            return
        }
        let plain = UnsafeMutableRawBufferPointer(rebasing: scratch.block[..<whole])
        try open(blocksFrom: index, into: plain, sealed: scratch.sealed, scratch: scratch)
        let sealedCount = storage.geometry.sealedCount(ofBlocks: count)
        let sealed = UnsafeMutableRawBufferPointer(rebasing: scratch.sealed[..<sealedCount])
        try seal(
            UnsafeRawBufferPointer(rebasing: plain[..<count]),
            from: index,
            into: sealed,
            scratch: scratch
        )
        do throws(Errno) {
            // First what is more likely to fail, while the block is there still.
            try store(UnsafeRawBufferPointer(sealed), fromBlock: index, size: old, scratch: scratch)
            // Lengths reach the disk before content: what was this block is not to be cut.
            if needsJournal { try FileCall.synchronize(descriptor.rawValue, dataOnly: true) }
            try resizeStored(to: try storedCount(of: size))
        } catch {
            restore(UnsafeRawBufferPointer(plain), asBlock: index, size: old, scratch: scratch)
            throw error
        }
        wasResized(to: size)
    }

    /// Puts a block back as it was, as far as the storage takes it.
    private func restore(
        _ plain: UnsafeRawBufferPointer,
        asBlock index: UInt64,
        size: UInt64,
        scratch: Scratch
    ) {
        let count = storage.geometry.sealedCount(ofBlocks: plain.count)
        let sealed = UnsafeMutableRawBufferPointer(rebasing: scratch.sealed[..<count])
        try? seal(plain, from: index, into: sealed, scratch: scratch)
        try? store(UnsafeRawBufferPointer(sealed), fromBlock: index, size: size, scratch: scratch)
    }

    private func extend(to size: UInt64, from old: UInt64, scratch: Scratch) throws(Errno) {
        let isNew = id == nil
        if isNew {
            id = .random()
            do throws(Errno) {
                try storeHeader(scratch)
            } catch {
                id = nil
                throw error
            }
        }
        let block = UInt64(GocryptfsGeometry.blockCount)
        let (index, count) = GocryptfsGeometry.block(at: size)
        if old % block != 0, old / block < index {
            try fillLastBlock(of: old, scratch: scratch)
        }
        hasHoles.store(true, ordering: .relaxed)
        if count == 0 {
            try resizeStored(to: try storedCount(of: size))
        } else {
            try extendLastBlock(index, to: count, from: old, scratch: scratch)
        }
        wasResized(to: size)
    }

    /// The last block is a short one: zeros, behind what it has already.
    private func extendLastBlock(
        _ index: UInt64,
        to count: Int,
        from old: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let start = index * UInt64(GocryptfsGeometry.blockCount)
        let plain = UnsafeMutableRawBufferPointer(rebasing: scratch.block[..<count])
        let kept = old > start ? Int(old - start) : 0
        if kept > 0 {
            try open(
                blocksFrom: index,
                into: UnsafeMutableRawBufferPointer(rebasing: plain[..<kept]),
                sealed: scratch.sealed,
                scratch: scratch
            )
        }
        UnsafeMutableRawBufferPointer(rebasing: plain[kept...]).zero()
        let sealedCount = storage.geometry.sealedCount(ofBlocks: count)
        let sealed = UnsafeMutableRawBufferPointer(rebasing: scratch.sealed[..<sealedCount])
        try seal(UnsafeRawBufferPointer(plain), from: index, into: sealed, scratch: scratch)
        try store(UnsafeRawBufferPointer(sealed), fromBlock: index, size: old, scratch: scratch)
    }

    private func storedCount(of size: UInt64) throws(Errno) -> UInt64 {
        try translating { () throws(VolumeFormatError) in
            try storage.geometry.storedCount(forPlaintext: size)
        }
    }

    private func resizeStored(to count: UInt64) throws(Errno) {
        do throws(Errno) {
            try FileCall.truncate(descriptor.rawValue, to: count)
        } catch {
            // Open for reading only, since it could not be opened for more.
            throw error == .badDescriptor || error == .invalidArgument
                ? .readOnlyFileSystem : error
        }
    }

    func allocate(
        at offset: UInt64,
        count: UInt64,
        _ allocation: FileCall.Allocation,
        scratch: Scratch
    ) throws(Errno) {
        let maximum = storage.geometry.maximumPlaintextCount
        guard count <= maximum, offset <= maximum - count else { throw .fileTooLarge }
        let end = offset + count
        switch allocation {
        case []:
            try reserve(from: offset, to: end)
            if end > size { try grow(to: end, scratch: scratch) }
        case .keepSize:
            try reserve(from: offset, to: end)
        case [.punchHole, .keepSize], [.zeroRange, .keepSize]:
            try clear(from: offset, to: end, scratch: scratch)
        case .zeroRange:
            try clear(from: offset, to: end, scratch: scratch)
            if end > size { try grow(to: end, scratch: scratch) }
        default:
            throw .notSupported
        }
    }

    private func grow(to end: UInt64, scratch: Scratch) throws(Errno) {
        try withAllBlocks { () throws(Errno) in
            if isDamaged { throw .inputOutput }
            let old = size
            if end > old { try extend(to: end, from: old, scratch: scratch) }
        }
    }

    /// Has the storage take room for a range.
    private func reserve(from offset: UInt64, to end: UInt64) throws(Errno) {
        let block = UInt64(GocryptfsGeometry.blockCount)
        let start = try storedCount(of: offset / block * block)
        try FileCall.allocate(
            descriptor.rawValue,
            at: start,
            count: try storedCount(of: end) - start,
            .keepSize
        )
    }

    /// Makes a range zeros, part by part: who wants something else of the file has a turn between them.
    private func clear(from offset: UInt64, to end: UInt64, scratch: Scratch) throws(Errno) {
        var rest: UInt64? = offset
        while let offset = rest {
            rest = try withAllBlocks { () throws(Errno) in
                try clearSome(from: offset, to: end, scratch: scratch)
            }
        }
    }

    /// Makes a part of a range zeros: whole blocks become holes.
    ///
    /// - Returns: Where the rest begins; nil where there is none.
    private func clearSome(
        from offset: UInt64,
        to end: UInt64,
        scratch: Scratch
    ) throws(Errno) -> UInt64? {
        if isDamaged { throw .inputOutput }
        let end = min(end, size)
        guard offset < end else { return nil }
        let block = UInt64(GocryptfsGeometry.blockCount)
        let first = (offset + block - 1) / block
        let last = end / block
        if first > last {
            try clearPart(from: offset, to: end, scratch: scratch)
            return nil
        }
        try clearPart(from: offset, to: first * block, scratch: scratch)
        if first < last {
            hasHoles.store(true, ordering: .relaxed)
            let next = try punch(first..<last, scratch: scratch)
            guard next == last else { return next * block }
        }
        try clearPart(from: last * block, to: end, scratch: scratch)
        return nil
    }

    /// Makes whole blocks holes, as many as have as much in them as somebody would read after a crash.
    ///
    /// - Returns: The first that is none yet.
    private func punch(_ blocks: Range<UInt64>, scratch: Scratch) throws(Errno) -> UInt64 {
        let count = UInt64(storage.geometry.sealedBlockCount)
        let header = UInt64(GocryptfsGeometry.headerCount)
        func offset(_ block: UInt64) -> UInt64 { header + block * count }
        // Where nothing is there is nothing to note, and room that is kept is given up all the same.
        let data = data(in: offset(blocks.lowerBound)..<offset(blocks.upperBound))
        let noted = (data - header) / count
        let end = min(noted + ThreadNotes.longestRange / count, blocks.upperBound)
        if noted < end {
            try notes(of: scratch)?.noteZeros(
                in: offset(noted)..<offset(end),
                of: self,
                isDurable: needsJournal
            )
        }
        try FileCall.allocate(
            descriptor.rawValue,
            at: offset(blocks.lowerBound),
            count: offset(end) - offset(blocks.lowerBound),
            [.punchHole, .keepSize]
        )
        return end
    }

    /// Where something is stored in a range; its beginning where that cannot be told, its end where there is nothing.
    private func data(in range: Range<UInt64>) -> UInt64 {
        do throws(Errno) {
            let start = try FileCall.find(.data, in: descriptor.rawValue, from: range.lowerBound)
            return max(min(start ?? range.upperBound, range.upperBound), range.lowerBound)
        } catch {
            return range.lowerBound
        }
    }

    /// Makes part of one block zeros.
    private func clearPart(
        from offset: UInt64,
        to end: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        guard offset < end else { return }
        let (index, skip) = GocryptfsGeometry.block(at: offset)
        let start = index * UInt64(GocryptfsGeometry.blockCount)
        let whole = Int(min(size - start, UInt64(GocryptfsGeometry.blockCount)))
        let plain = UnsafeMutableRawBufferPointer(rebasing: scratch.block[..<whole])
        try open(blocksFrom: index, into: plain, sealed: scratch.sealed, scratch: scratch)
        UnsafeMutableRawBufferPointer(rebasing: plain[skip..<skip + Int(end - offset)]).zero()
        let sealedCount = storage.geometry.sealedCount(ofBlocks: whole)
        let sealed = UnsafeMutableRawBufferPointer(rebasing: scratch.sealed[..<sealedCount])
        try seal(UnsafeRawBufferPointer(plain), from: index, into: sealed, scratch: scratch)
        try store(UnsafeRawBufferPointer(sealed), fromBlock: index, size: size, scratch: scratch)
    }
}
