internal import Linux
internal import VolumeFormat

// Where there is content.
extension GocryptfsFile {
    /// Finds the next data or hole, by whole blocks.
    ///
    /// A stored block is no multiple of the storage's own, so data and holes there meet within one of
    /// ours: that one is read. A hole of ours too short for one of the storage's counts as data, but
    /// what counts as a hole is one.
    func find(_ target: FileCall.SeekTarget, from offset: UInt64) throws(Errno) -> UInt64 {
        // Looking again may change the file's number.
        let slot = ranges.acquire(
            BlockRangeLock.Range(first: 0, last: .max, isExclusive: storage.isShared)
        )
        defer { ranges.release(slot) }
        if storage.isShared { try lookAgain() }
        if isDamaged { throw .inputOutput }
        let size = size
        guard offset < size else { throw .noSuchAddress }
        let end = GocryptfsGeometry.block(at: size - 1).index + 1
        var index = GocryptfsGeometry.block(at: offset).index
        while index < end {
            guard
                let stored = try FileCall.find(
                    target,
                    in: descriptor.rawValue,
                    from: try storedOffset(of: index)
                )
            else { break }
            index = storage.geometry.block(atStored: stored)
            if index < end, try isHole(index) == (target == .hole) {
                return max(offset, index * UInt64(GocryptfsGeometry.blockCount))
            }
            index += 1
        }
        guard target == .hole else { throw .noSuchAddress }
        return size
    }

    private func storedOffset(of index: UInt64) throws(Errno) -> UInt64 {
        try translating { () throws(VolumeFormatError) in
            try storage.geometry.offset(ofBlock: index)
        }
    }

    /// Whether a whole block is there and is stored as nothing but zeros.
    private func isHole(_ index: UInt64) throws(Errno) -> Bool {
        let offset = try storedOffset(of: index)
        return try withUnsafeTemporaryAllocation(
            byteCount: storage.geometry.sealedBlockCount,
            alignment: 8
        ) { stored throws(Errno) in
            let count = try FileCall.read(descriptor.rawValue, at: offset, into: stored)
            return count == stored.count && stored.allSatisfy { $0 == 0 }
        }
    }
}
