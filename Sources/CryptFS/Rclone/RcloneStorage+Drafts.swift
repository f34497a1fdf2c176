internal import Linux
internal import VolumeFormat

// Files that are not the volume's yet.
extension RcloneStorage {
    /// A new file with a fresh nonce and nothing but its header.
    func makeDraft() throws(Errno) -> Draft {
        let name = DraftName.make()
        let descriptor = try FileCall.open(
            name,
            in: root.rawValue,
            [.readWrite, .createNew],
            mode: 0o600
        )
        let draft = Draft(
            file: SealedFile(descriptor, nonce: .random(), keys: keys),
            name: name
        )
        do throws(Errno) {
            try draft.file.writeHeader()
        } catch {
            discard(draft)
            throw error
        }
        return draft
    }

    /// Takes a draft's name away; what is in it can be read as long as somebody has it.
    func discard(_ draft: Draft) {
        // Nothing to do where it fails: it is removed at the next start.
        try? FileCall.unlink(draft.name, in: root.rawValue)
    }

    /// A file for staged pages, without a name.
    func makeStagingFile() throws(Errno) -> StagingFile {
        do throws(Errno) {
            return StagingFile(
                try FileCall.reopen(
                    directory: root.rawValue,
                    [.readWrite, .unnamed],
                    mode: 0o600
                )
            )
        } catch
            where error == .notSupported || error == .isDirectory
            || error == .invalidArgument
        {
            // The file system below has no O_TMPFILE.
            let name = DraftName.make()
            let descriptor = try FileCall.open(
                name,
                in: root.rawValue,
                [.readWrite, .createNew],
                mode: 0o600
            )
            try FileCall.unlink(name, in: root.rawValue)
            return StagingFile(descriptor)
        }
    }

    /// Fails with `ENOSPC` where a rewriting cannot succeed: a hole of terabytes, say, which in the
    /// storage is no hole, is not to fill the disk first.
    func requireRoom(for size: UInt64, besides draft: Draft?) throws(Errno) {
        guard size > 64 << 20, draft == nil else { return }
        let statistics = try VolumeStatistics(of: root.rawValue)
        let (room, overflow) = statistics.freeBlocks.multipliedReportingOverflow(
            by: statistics.fragmentSize
        )
        guard overflow || size <= room else { throw .noSpace }
    }

    /// Removes drafts that a crash left.
    func removeAbandonedDrafts() throws(Errno) {
        let listing = try FileCall.reopen(directory: root.rawValue, [.readOnly, .directory])
        var abandoned: [FileName] = []
        try DirectoryScan.forEach(in: listing.rawValue) { record in
            if DraftName.matches(record.name), let name = FileName(record.name) {
                abandoned.append(name)
            }
        }
        for name in abandoned {
            guard try FileStatus(in: root.rawValue, named: name).kind == .regular else { continue }
            try FileCall.unlink(name, in: root.rawValue)
        }
    }
}
