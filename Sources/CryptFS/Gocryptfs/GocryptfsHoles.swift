package import Linux
package import VolumeFormat

/// Where a stored file has blocks that are holes: nothing but zeros.
///
/// A stored block is no multiple of the storage's own, so data and holes there meet within one of
/// ours: that one is read. A hole of ours too short for one of the storage's counts as content, but
/// what counts as a hole is one.
package struct GocryptfsHoles {
    private let descriptor: Int32
    private let geometry: GocryptfsGeometry

    /// - Parameters:
    ///   - descriptor: Of the stored file; the caller keeps it open.
    ///   - geometry: The volume's.
    package init(of descriptor: Int32, _ geometry: GocryptfsGeometry) {
        self.descriptor = descriptor
        self.geometry = geometry
    }

    /// Finds the next block of content, or the next hole.
    ///
    /// - Parameters:
    ///   - target: Which of both.
    ///   - first: The block to begin with, zero-based.
    ///   - end: The block behind the file's last.
    /// - Returns: The block's index; nil where there is none before `end`.
    /// - Throws: ``Errno``.
    package func find(
        _ target: FileCall.SeekTarget,
        from first: UInt64,
        before end: UInt64
    ) throws(Errno) -> UInt64? {
        var index = first
        while index < end {
            guard
                let stored = try FileCall.find(target, in: descriptor, from: try offset(of: index))
            else { return nil }
            index = geometry.block(atStored: stored)
            if index < end, try isHole(index) == (target == .hole) { return index }
            index += 1
        }
        return nil
    }

    /// Whether a whole block is there and is stored as nothing but zeros.
    private func isHole(_ index: UInt64) throws(Errno) -> Bool {
        let offset = try offset(of: index)
        return try withUnsafeTemporaryAllocation(
            byteCount: geometry.sealedBlockCount,
            alignment: 8
        ) { stored throws(Errno) in
            let count = try FileCall.read(descriptor, at: offset, into: stored)
            return count == stored.count && stored.allSatisfy { $0 == 0 }
        }
    }

    private func offset(of index: UInt64) throws(Errno) -> UInt64 {
        do throws(VolumeFormatError) {
            return try geometry.offset(ofBlock: index)
        } catch {
            // Behind the longest file that there can be.
            throw .inputOutput
        }
    }
}
