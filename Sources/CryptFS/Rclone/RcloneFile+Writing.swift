internal import Linux
internal import Synchronization
internal import VolumeFormat

// Writing and truncating.
extension RcloneFile {
    func write(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        guard !bytes.isEmpty else { return }
        let (end, overflow) = offset.addingReportingOverflow(UInt64(bytes.count))
        guard !overflow, end <= RcloneContent.maximumPlaintextCount else { throw .fileTooLarge }
        if bytes.count > SealedFile.blockCount { scratch.isUsed = true }
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let position = offset + UInt64(done)
            let drafted = try draft(rest, at: position, scratch: scratch)
            if drafted > 0 {
                done += drafted
                continue
            }
            done += try writer.withWriting { () throws(Errno) in
                try lock.withWriting { () throws(Errno) in
                    try stage(rest, at: position, scratch: scratch)
                }
            }
        }
    }

    func truncate(to newSize: UInt64, scratch: Scratch) throws(Errno) {
        guard newSize <= RcloneContent.maximumPlaintextCount else { throw .fileTooLarge }
        try writer.withWriting { () throws(Errno) in
            guard newSize != size else { return }
            try lock.withWriting { () throws(Errno) in
                if newSize < size { try cut(to: newSize, scratch: scratch) }
                wasChanged(size: newSize)
            }
        }
    }

    /// Puts the whole blocks with which `bytes` begin straight into the file to come.
    ///
    /// Several threads at once, each with blocks of its own: those are claimed first, so that no
    /// index is sealed twice, whatever happens in between.
    ///
    /// - Returns: How many bytes were taken, whole blocks; 0 where what comes first is no whole
    ///   block, or its index was sealed before, or old content still counts.
    private func draft(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        scratch: Scratch
    ) throws(Errno) -> Int {
        let blockCount = UInt64(SealedFile.blockCount)
        guard bytes.count >= SealedFile.blockCount, offset % blockCount == 0 else { return 0 }
        let first = offset / blockCount
        // Read here means: no staging, truncating or storing meanwhile.
        return try writer.withReading { () throws(Errno) in
            let limit = UInt64(bytes.count) / blockCount
            guard
                let claim = try lock.withWriting({ () throws(Errno) in
                    try claim(upTo: limit, blocksFrom: first)
                })
            else { return 0 }
            let whole = UnsafeRawBufferPointer(
                rebasing: bytes[..<(Int(claim.count) * SealedFile.blockCount)]
            )
            do throws(Errno) {
                try claim.file.seal(blocksFrom: first, whole, sealed: scratch.sealed)
            } catch {
                lock.withWriting { state.draft?.hasFailed = true }
                throw error
            }
            lock.withWriting {
                for block in first..<first + claim.count {
                    state.draft?.blocks.insert(block)
                    state.changes?.forget(block: block)
                }
                wasChanged(sizeAtLeast: offset + UInt64(whole.count))
            }
            return whole.count
        }
    }

    /// Blocks of a draft that one thread is about to seal.
    private struct Claim {
        let file: SealedFile
        let count: UInt64
    }

    /// Claims up to `limit` neighbouring blocks, with `lock` written; nil where the first is not to
    /// be had: something of the old content counts, or the index was claimed before.
    private func claim(upTo limit: UInt64, blocksFrom first: UInt64) throws(Errno) -> Claim? {
        guard state.baseLimit == 0, state.draft?.claimed.contains(first) != true else {
            return nil
        }
        if state.draft == nil { state.draft = try storage.makeDraft() }
        guard let file = state.draft?.file else { return nil }
        wasChanged(sizeAtLeast: size)
        var count: UInt64 = 0
        while count < limit, state.draft?.claimed.contains(first + count) == false {
            state.draft?.claimed.insert(first + count)
            count += 1
        }
        return Claim(file: file, count: count)
    }

    /// Nothing can be added to the draft any more: it becomes what unchanged content is read from.
    ///
    /// Only called while no other old content counts.
    func endDraft() {
        guard let draft = state.draft else { return }
        storage.discard(draft)
        state.draft = nil
        state.base = Source(file: draft.file, size: .max, blocks: draft.blocks)
        state.baseLimit = size
    }

    /// Stages what of `bytes` belongs to one block, with `writer` and `lock` written.
    ///
    /// - Returns: How many bytes that were.
    private func stage(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        scratch: Scratch
    ) throws(Errno) -> Int {
        let block = offset / UInt64(SealedFile.blockCount)
        let start = Int(offset % UInt64(SealedFile.blockCount))
        let count = min(bytes.count, SealedFile.blockCount - start)
        // The draft's block cannot be sealed again.
        if state.draft?.claimed.contains(block) == true { endDraft() }
        wasChanged(sizeAtLeast: size)
        try stage(
            UnsafeRawBufferPointer(rebasing: bytes[..<count]),
            at: start,
            ofBlock: block,
            scratch: scratch
        )
        wasChanged(sizeAtLeast: offset + UInt64(count))
        return count
    }

    /// Stages part of a block, page by page where it covers pages only in part.
    private func stage(
        _ bytes: UnsafeRawBufferPointer,
        at start: Int,
        ofBlock block: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let changes = stagedChanges()
        let pageCount = StagedChanges.pageCount
        let firstPage = start / pageCount * pageCount
        let end = start + bytes.count
        let lastPage = (end + pageCount - 1) / pageCount * pageCount
        if firstPage == start, lastPage == end {
            try changes.stage(
                start..<end,
                ofBlock: block,
                bytes,
                sealed: scratch.sealed
            )
            return
        }
        let whole = scratch.block
        try fill(whole, blocksFrom: block, sealed: scratch.sealed)
        UnsafeMutableRawBufferPointer(rebasing: whole[start..<end]).copyMemory(from: bytes)
        try changes.stage(
            firstPage..<lastPage,
            ofBlock: block,
            UnsafeRawBufferPointer(rebasing: whole[firstPage..<lastPage]),
            sealed: scratch.sealed
        )
    }

    private func stagedChanges() -> StagedChanges {
        if let changes = state.changes { return changes }
        let storage = storage
        let changes = StagedChanges(pool: storage.pool) { () throws(Errno) in
            try storage.makeStagingFile()
        }
        state.changes = changes
        return changes
    }

    /// Cuts off what lies behind `newSize`, so that growing again shows zeros there.
    private func cut(to newSize: UInt64, scratch: Scratch) throws(Errno) {
        guard newSize > 0 else {
            if let draft = state.draft { storage.discard(draft) }
            state.draft = nil
            state.changes = nil
            state.baseLimit = 0
            return
        }
        endDraft()
        let pageCount = UInt64(StagedChanges.pageCount)
        let block = newSize / UInt64(SealedFile.blockCount)
        if let changes = state.changes, newSize % pageCount != 0, changes.pages(ofBlock: block) != 0
        {
            // The page it lies in stays; its rest is to be zeros.
            let start = Int(newSize % UInt64(SealedFile.blockCount))
            let pageStart = start / Int(pageCount) * Int(pageCount)
            let whole = scratch.block
            try fill(whole, blocksFrom: block, sealed: scratch.sealed)
            UnsafeMutableRawBufferPointer(rebasing: whole[start...])
                .initializeMemory(as: UInt8.self, repeating: 0)
            try changes.stage(
                pageStart..<pageStart + Int(pageCount),
                ofBlock: block,
                UnsafeRawBufferPointer(
                    rebasing: whole[pageStart..<pageStart + Int(pageCount)]
                ),
                sealed: scratch.sealed
            )
        }
        state.changes?.forget(behind: newSize)
        state.baseLimit = min(state.baseLimit, newSize)
    }
}
