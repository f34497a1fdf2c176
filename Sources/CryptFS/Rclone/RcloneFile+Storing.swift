internal import Linux
internal import Synchronization
internal import VolumeFormat

// Storing: the one place where what bears the file's name is replaced.
extension RcloneFile {
    func commit(durably: Bool, to place: some ContentPlace, scratch: Scratch) throws(Errno) {
        // Held to the end: nobody writes meanwhile; reading goes on.
        try writer.withWriting { () throws(Errno) in
            guard isDirty else {
                guard durably else { return }
                wasSynchronized()
                try FileCall.synchronize(storedFile.descriptor.rawValue)
                try place.synchronizeDirectory()
                return
            }
            scratch.isUsed = true
            let draft = try completeDraft(scratch: scratch)
            do throws(Errno) {
                try replaceStored(by: draft, durably: durably, at: place)
            } catch {
                // Its blocks are sealed: they may be read on, but never written again.
                lock.withWriting { endDraft(draft) }
                throw error
            }
        }
    }

    /// Completes the file to come, or makes all of it.
    private func completeDraft(scratch: Scratch) throws(Errno) -> Draft {
        if state.draft?.hasFailed == true { lock.withWriting { endDraft() } }
        let size = size
        try storage.requireRoom(for: size, besides: state.draft)
        if state.baseLimit > 0 {
            let draft = try storage.makeDraft()
            do throws(Errno) {
                try seal(into: draft.file, size: size, except: draft.blocks, scratch: scratch)
            } catch {
                storage.discard(draft)
                throw error
            }
            return draft
        }
        var draft = state.draft
        do throws(Errno) {
            if draft == nil { draft = try storage.makeDraft() }
            guard let draft else { throw .inputOutput }
            try seal(into: draft.file, size: size, except: draft.blocks, scratch: scratch)
            return draft
        } catch {
            if let draft { lock.withWriting { endDraft(draft) } }
            throw error
        }
    }

    /// Seals all blocks that a draft does not have.
    ///
    /// Each index once: the draft is given up when this fails in the middle.
    private func seal(
        into file: SealedFile,
        size: UInt64,
        except blocks: SparseBitmap,
        scratch: Scratch
    ) throws(Errno) {
        let blockCount = UInt64(SealedFile.blockCount)
        let end = (size + blockCount - 1) / blockCount
        let batch = UInt64(Scratch.requestLimit / SealedFile.blockCount)
        var first: UInt64 = 0
        while first < end {
            guard !blocks.contains(first) else {
                first += 1
                continue
            }
            var next = first + 1
            while next < end, next - first < batch, !blocks.contains(next) { next += 1 }
            let plain = UnsafeMutableRawBufferPointer(
                rebasing: scratch.plain[..<Int((next - first) * blockCount)]
            )
            try lock.withReading { () throws(Errno) in
                try fill(plain, blocksFrom: first, sealed: scratch.sealed)
            }
            let count = Int(min(UInt64(plain.count), size - first * blockCount))
            try file.seal(
                blocksFrom: first,
                UnsafeRawBufferPointer(rebasing: plain[..<count]),
                sealed: scratch.sealed
            )
            first = next
        }
    }

    /// Gives the draft the file's name.
    private func replaceStored(
        by draft: Draft,
        durably: Bool,
        at place: some ContentPlace
    ) throws(Errno) {
        let descriptor = draft.file.descriptor.rawValue
        // Before the name is exchanged: after a loss of power it stands for the old content or for
        // the new one, and be that nothing: a header that is not there is no empty file but an error.
        if durably || mayBeSynchronized {
            try FileCall.synchronize(descriptor, dataOnly: true)
        }
        let size = size
        let isReplaced = try lock.withWriting { () throws(Errno) in
            let isReplaced = try place.replace { directory, name throws(Errno) in
                try copyMetadata(to: descriptor)
                let identity = try FileStatus(of: descriptor).identity
                try FileCall.rename(
                    draft.name,
                    in: storage.root.rawValue,
                    to: name,
                    in: directory
                )
                wasStored(in: draft.file)
                return identity
            }
            guard isReplaced else { return false }
            state = State(
                base: Source(file: draft.file, size: size, blocks: nil),
                baseLimit: size
            )
            return true
        }
        guard isReplaced else {
            // Removed, but still open: there is no name to store it under, and nobody to find it.
            lock.withWriting { endDraft(draft) }
            return
        }
        guard durably else { return }
        try FileCall.synchronize(descriptor)
        try place.synchronizeDirectory()
    }

    /// Gives up a draft that is or is not the state's.
    private func endDraft(_ draft: Draft) {
        if state.draft?.name == draft.name {
            endDraft()
        } else {
            storage.discard(draft)
        }
    }
}
