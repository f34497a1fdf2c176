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

    /// Writes the header of a file whose first page did not reach the disk, and others did; what is there is nothing.
    private func restoreHeader(of inode: UInt64, _ name: FileName, in directory: Int32) {
        guard let id = intents?.pendingFile(inode: inode) else { return }
        do throws(Errno) {
            let file = try FileCall.open(name, in: directory, [.readWrite, .nonBlocking])
            var header = [UInt8](repeating: 1, count: GocryptfsGeometry.headerCount)
            let count = try header.withUnsafeMutableBufferPointer { header throws(Errno) in
                try FileCall.read(file.rawValue, at: 0, into: UnsafeMutableRawBufferPointer(header))
            }
            guard count == header.count, header.allSatisfy({ $0 == 0 }) else { return }
            header.withUnsafeMutableBytes { try? GocryptfsFileHeader(id: id).write(into: $0) }
            try header.withUnsafeBufferPointer { header throws(Errno) in
                try FileCall.write(file.rawValue, at: 0, UnsafeRawBufferPointer(header))
            }
            try FileCall.synchronize(file.rawValue)
        } catch {}
    }

    /// Completes all that was noted, wherever the files are; before anything is served.
    ///
    /// A journal has notes of many files, most of them whole and some of them gone: waiting for whoever opens
    /// one would take for ever. And what was written without one, or is gone, has to be so on the disk before there
    /// is nothing noted of it any more.
    func completeAll() {
        guard let intents else { return }
        let inodes = intents.pendingInodes
        var search = Search(inodes: inodes)
        do throws(Errno) {
            if !inodes.isEmpty { try complete(&search) }
            try intents.synchronizeAll()
            // What was not found is gone, unless it is where nobody could look.
            intents.forgetNotes(
                of: search.failure == nil ? inodes.subtracting(search.remaining) : search.done
            )
        } catch {
            search.failure = error
        }
        guard let failure = search.failure else { return }
        Log.warning(
            "Not every file could be looked at that was being written when the power went",
            ["error": failure.description]
        )
    }

    /// Looking for files by their inode numbers.
    private struct Search {
        let inodes: Set<UInt64>

        /// Found, and completed.
        var done: Set<UInt64> = []

        /// Found, and not.
        var remaining: Set<UInt64> = []

        /// Why some directory was passed over.
        var failure: Errno?
    }

    private func complete(_ search: inout Search) throws(Errno) {
        try DirectoryWalk.run(
            below: root.rawValue,
            opening: { name, parent throws(Errno) in
                do throws(Errno) {
                    return try FileCall.open(name, in: parent, [.readOnly, .directory])
                } catch {
                    if error != .notDirectory { search.failure = error }
                    return nil
                }
            },
            visiting: { directory throws(Errno) in
                do throws(Errno) {
                    return try complete(&search, in: directory)
                } catch {
                    search.failure = error
                    return []
                }
            }
        )
    }

    /// Completes what is looked for, as far as it is in a directory.
    ///
    /// - Returns: What may be a directory there.
    private func complete(
        _ search: inout Search,
        in parent: Int32
    ) throws(Errno) -> [FileName] {
        let inodes = search.inodes
        var directories: [FileName] = []
        var files: [(inode: UInt64, name: FileName)] = []
        try DirectoryScan.forEach(in: parent) { record in
            let isKnown = record.kind != nil
            let isFile = (record.kind == .regular || !isKnown) && inodes.contains(record.number)
            let mayBeDirectory = record.kind == .directory || !isKnown
            guard isFile || mayBeDirectory, let name = FileName(record.name) else { return }
            if isFile { files.append((record.number, name)) }
            if mayBeDirectory { directories.append(name) }
        }
        for (inode, name) in files where try FileStatus(in: parent, named: name).kind == .regular {
            // A number that is used again for something else of the format's is none of theirs.
            let isContent = name.withCString { text in
                let bytes = UnsafeRawBufferPointer(start: text, count: name.count)
                return switch names.kind(of: bytes, isRoot: false) {
                case .name, .longContent: true
                case .configuration, .directoryIV, .longName: false
                }
            }
            guard isContent else { continue }
            restoreHeader(of: inode, name, in: parent)
            if complete(name, in: parent) {
                search.done.insert(inode)
            } else {
                search.remaining.insert(inode)
            }
        }
        return directories
    }
}
