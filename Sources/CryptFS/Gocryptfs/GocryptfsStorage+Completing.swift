internal import Linux
internal import VolumeFormat

// Finding the files of which something was noted when the last writer was cut short.
extension GocryptfsStorage {
    /// Completes what concerns a file; the kernel remembers its length from here on.
    func settle(
        _ status: FileStatus,
        named name: FileName,
        in directory: Directory
    ) throws(Errno) -> FileStatus {
        guard let intents, intents.hasPendingNotes, status.kind == .regular, status.size > 0
        else {
            return status
        }
        let parent = directory.descriptor.rawValue
        // Who opens it is told what fails.
        _ = complete(name, in: parent)
        return try FileStatus(in: parent, named: name)
    }

    /// Completes what concerns a file.
    ///
    /// - Returns: Whether that is done with.
    private func complete(_ name: FileName, in directory: Int32) -> Bool {
        do throws(Errno) {
            let file = try FileCall.open(name, in: directory, [.readWrite, .nonBlocking])
            _ = try GocryptfsFile(opening: file, named: name, storage: self)
            return true
        } catch {
            return false
        }
    }

    /// Completes all that was noted, wherever the files are; before anything is served.
    ///
    /// A journal has notes of many files, most of them whole and some of them gone: waiting for whoever opens
    /// one would take for ever.
    func completeAll() {
        guard let intents, intents.hasPendingNotes else { return }
        let inodes = intents.pendingInodes
        do throws(Errno) {
            let top = try FileCall.reopen(directory: root.rawValue, [.readOnly, .directory])
            intents.forgetNotes(of: inodes.subtracting(try complete(inodes, below: top)))
        } catch {
            Log.warning(
                "Not every file could be looked at that was being written when the power went",
                ["error": error.description]
            )
        }
    }

    /// Completes what concerns some files, as far as they are below a directory.
    ///
    /// - Returns: Which of them are not done with.
    private func complete(
        _ inodes: Set<UInt64>,
        below directory: borrowing OwnedDescriptor
    ) throws(Errno) -> Set<UInt64> {
        let parent = directory.rawValue
        var directories: [FileName] = []
        var files: [(inode: UInt64, name: FileName)] = []
        try DirectoryScan.forEach(in: parent) { record in
            let isFile = record.kind != .directory && inodes.contains(record.number)
            let mayBeDirectory = record.kind == .directory || record.kind == nil
            guard isFile || mayBeDirectory, let name = FileName(record.name) else { return }
            if isFile { files.append((record.number, name)) }
            if mayBeDirectory { directories.append(name) }
        }
        var remaining = Set(files.filter { !complete($0.name, in: parent) }.map(\.inode))
        for name in directories {
            do throws(Errno) {
                let child = try FileCall.open(name, in: parent, [.readOnly, .directory])
                remaining.formUnion(try complete(inodes, below: child))
            } catch .notDirectory {
                continue
            }
        }
        return remaining
    }
}
