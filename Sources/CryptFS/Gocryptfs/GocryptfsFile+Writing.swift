internal import Linux
internal import Synchronization
internal import VolumeFormat

// Writing: whole blocks are sealed from the request straight into the scratch; of others what is
// around is read first. All of a request leaves in one pwrite.
extension GocryptfsFile {
    func write(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        guard !bytes.isEmpty else { return }
        guard
            UInt64(bytes.count) <= storage.geometry.maximumPlaintextCount,
            offset <= storage.geometry.maximumPlaintextCount - UInt64(bytes.count)
        else { throw .fileTooLarge }
        if bytes.count > 16 << 10 { scratch.isUsed = true }
        let end = offset + UInt64(bytes.count)
        while true {
            let range = rangeToHold(from: offset, to: end)
            let slot = ranges.acquire(range)
            defer { ranges.release(slot) }
            // Others may have appended meanwhile.
            if storage.isShared { try lookAgain() }
            let now = rangeToHold(from: offset, to: end)
            guard now.first >= range.first, now.last <= range.last else { continue }
            if isDamaged { throw .inputOutput }
            try writeHeld(bytes, at: offset, to: end, scratch: scratch)
            return
        }
    }

    /// What has to be held for a change: its blocks; the last block of the file, where it has to be
    /// filled up first; and all that could come behind, where the last block becomes a short one.
    private func rangeToHold(from offset: UInt64, to end: UInt64) -> BlockRangeLock.Range {
        let size = size
        let block = UInt64(GocryptfsGeometry.blockCount)
        // The file's number has yet to be drawn, or may have become another.
        guard size > 0, !storage.isShared else {
            return BlockRangeLock.Range(first: 0, last: .max, isExclusive: true)
        }
        let first = offset / block
        let isFilled = size % block != 0 && first > size / block
        let isShort = end > size && end % block != 0
        return BlockRangeLock.Range(
            first: isFilled ? size / block : first,
            last: isShort ? .max : (end - 1) / block,
            isExclusive: true
        )
    }

    private func writeHeld(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        to end: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let size = size
        let block = UInt64(GocryptfsGeometry.blockCount)
        let isNew = id == nil
        if isNew { id = .random() }
        do throws(Errno) {
            if size % block != 0, offset / block > size / block {
                try fillLastBlock(of: size, scratch: scratch)
            }
            if offset > size, offset / block > (size + block - 1) / block {
                hasHoles.store(true, ordering: .relaxed)
            }
            try sealAndStore(bytes, at: offset, size: size, isNew: isNew, scratch: scratch)
        } catch {
            if isNew { id = nil }
            throw error
        }
        grew(toAtLeast: end)
    }

    /// Makes the last block a full one, of zeros behind what it has.
    func fillLastBlock(of size: UInt64, scratch: Scratch) throws(Errno) {
        let block = GocryptfsGeometry.blockCount
        let (index, count) = GocryptfsGeometry.block(at: size)
        let plain = UnsafeMutableRawBufferPointer(rebasing: scratch.block[..<block])
        try open(
            blocksFrom: index,
            into: UnsafeMutableRawBufferPointer(rebasing: plain[..<count]),
            sealed: scratch.sealed,
            scratch: scratch
        )
        UnsafeMutableRawBufferPointer(rebasing: plain[count...]).zero()
        let room = storage.geometry.sealedBlockCount
        let sealed = UnsafeMutableRawBufferPointer(rebasing: scratch.sealed[..<room])
        try seal(UnsafeRawBufferPointer(plain), from: index, into: sealed, scratch: scratch)
        try store(UnsafeRawBufferPointer(sealed), fromBlock: index, size: size, scratch: scratch)
        grew(toAtLeast: (index + 1) * UInt64(block))
    }

    private func sealAndStore(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        size: UInt64,
        isNew: Bool,
        scratch: Scratch
    ) throws(Errno) {
        let block = GocryptfsGeometry.blockCount
        let (first, skip) = GocryptfsGeometry.block(at: offset)
        // Behind the header, which goes with the first block.
        let header = isNew && first == 0 ? GocryptfsGeometry.headerCount : 0
        var (read, written, index) = (0, header, first)
        if isNew, header == 0 { try storeHeader(scratch) }
        if header > 0 { try writeHeader(into: scratch.sealed) }
        if skip > 0 || bytes.count < block {
            let count = min(block - skip, bytes.count)
            let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            let content = try merge(part, at: skip, of: index, size: size, scratch: scratch)
            written += try seal(content, from: index, at: written, scratch: scratch)
            read = count
            index += 1
        }
        let whole = (bytes.count - read) / block * block
        if whole > 0 {
            let part = UnsafeRawBufferPointer(rebasing: bytes[read..<read + whole])
            written += try seal(part, from: index, at: written, scratch: scratch)
            read += whole
            index += UInt64(whole / block)
        }
        if read < bytes.count {
            let part = UnsafeRawBufferPointer(rebasing: bytes[read...])
            let content = try merge(part, at: 0, of: index, size: size, scratch: scratch)
            written += try seal(content, from: index, at: written, scratch: scratch)
        }
        let sealed = UnsafeRawBufferPointer(rebasing: scratch.sealed[..<written])
        if header > 0 {
            try store(sealed, at: 0, size: size, scratch: scratch)
        } else {
            try store(sealed, fromBlock: first, size: size, scratch: scratch)
        }
    }

    /// What a block is to have once part of it is changed.
    private func merge(
        _ part: UnsafeRawBufferPointer,
        at skip: Int,
        of index: UInt64,
        size: UInt64,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        let block = UInt64(GocryptfsGeometry.blockCount)
        let start = index * block
        let old = Int(min(size > start ? size - start : 0, block))
        // All that there was is written over.
        if skip == 0, part.count >= old { return part }
        let count = max(old, skip + part.count)
        let plain = UnsafeMutableRawBufferPointer(rebasing: scratch.block[..<count])
        if old > 0 {
            try open(
                blocksFrom: index,
                into: UnsafeMutableRawBufferPointer(rebasing: plain[..<old]),
                sealed: scratch.mergeRoom,
                scratch: scratch
            )
        }
        if skip > old { UnsafeMutableRawBufferPointer(rebasing: plain[old..<skip]).zero() }
        UnsafeMutableRawBufferPointer(rebasing: plain[skip..<skip + part.count])
            .copyMemory(from: part)
        return UnsafeRawBufferPointer(plain)
    }
}
