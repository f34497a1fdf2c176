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
        try writer.withLock { _ throws(Errno) in
            try lock.withWriting { () throws(Errno) in
                wasChanged(size: size)
                do throws(Errno) {
                    try put(bytes, at: offset, scratch: scratch)
                } catch {
                    // What was put behind the end before it failed is not to appear later.
                    try? cut(to: size, scratch: scratch)
                    throw error
                }
                wasChanged(size: max(size, end))
            }
        }
    }

    func truncate(to newSize: UInt64, scratch: Scratch) throws(Errno) {
        guard newSize <= RcloneContent.maximumPlaintextCount else { throw .fileTooLarge }
        try writer.withLock { _ throws(Errno) in
            guard newSize != size else { return }
            try lock.withWriting { () throws(Errno) in
                if newSize < size { try cut(to: newSize, scratch: scratch) }
                wasChanged(size: newSize)
            }
        }
    }

    /// Puts bytes where they belong, block by block; neighbouring whole blocks at once.
    private func put(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let blockCount = UInt64(SealedFile.blockCount)
        var done = 0
        while done < bytes.count {
            let position = offset + UInt64(done)
            let block = position / blockCount
            let start = Int(position % blockCount)
            let count = min(bytes.count - done, SealedFile.blockCount - start)
            if count == SealedFile.blockCount, isDraftable(block) {
                var blocks = 1
                while bytes.count - done >= (blocks + 1) * SealedFile.blockCount,
                    isDraftable(block + UInt64(blocks))
                { blocks += 1 }
                let whole = UnsafeRawBufferPointer(
                    rebasing: bytes[done..<done + blocks * SealedFile.blockCount]
                )
                try draft(whole, blocksFrom: block, scratch: scratch)
                done += whole.count
                continue
            }
            // The draft's block cannot be sealed again.
            if state.draft?.blocks.contains(block) == true { endDraft() }
            try stage(
                UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]),
                at: start,
                ofBlock: block,
                scratch: scratch
            )
            done += count
        }
    }

    /// Whether a whole block may go straight into the file to come: nothing of the old content
    /// counts, and this index was not sealed before.
    private func isDraftable(_ block: UInt64) -> Bool {
        state.baseLimit == 0 && state.draft?.blocks.contains(block) != true
    }

    private func draft(
        _ bytes: UnsafeRawBufferPointer,
        blocksFrom first: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        let blocks = UInt64(bytes.count / SealedFile.blockCount)
        do throws(Errno) {
            let file = try draftFile()
            try file.seal(blocksFrom: first, bytes, sealed: scratch.sealed)
        } catch {
            // Sealed but perhaps not written: these indices are used up, and the draft with them.
            endDraft()
            throw error
        }
        for block in first..<first + blocks {
            state.draft?.blocks.insert(block)
            state.changes?.forget(block: block)
        }
    }

    private func draftFile() throws(Errno) -> SealedFile {
        if let draft = state.draft { return draft.file }
        let draft = try storage.makeDraft()
        state.draft = draft
        return draft.file
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
