internal import Linux
internal import VolumeFormat

// Where there is content.
extension GocryptfsFile {
    /// Finds the next data or hole, by whole blocks, as ``GocryptfsHoles`` has them.
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
        let found = try GocryptfsHoles(of: descriptor.rawValue, storage.geometry).find(
            target,
            from: GocryptfsGeometry.block(at: offset).index,
            before: GocryptfsGeometry.block(at: size - 1).index + 1
        )
        if let found { return max(offset, found * UInt64(GocryptfsGeometry.blockCount)) }
        guard target == .hole else { throw .noSuchAddress }
        return size
    }
}
