internal import CryptFS
internal import Glibc
internal import Linux
internal import VolumeFormat

/// What is stored under a name that is none of the volume's until it is whole.
struct StoredDraft {
    private let volume: StoredVolume
    private let name = DraftName.make()

    init(_ volume: StoredVolume) {
        self.volume = volume
    }

    /// Writes a file, and gives it its place once `body` says it is whole.
    func file(
        as stored: StoredEntryName,
        in directory: borrowing StoredDirectory,
        _ body: (StoredFile) throws(TransferFault) -> Void
    ) throws(TransferFault) {
        let root = volume.root.rawValue
        let descriptor = try system { () throws(Errno) in
            try FileCall.open(name, in: root, [.readWrite, .createNew], mode: 0o600)
        }
        do throws(TransferFault) {
            try body(volume.beginFile(descriptor))
            try place(stored, in: directory)
        } catch {
            try? FileCall.unlink(name, in: root)
            throw error
        }
    }

    /// Makes a symbolic link of the storage.
    func link(
        to target: [UInt8],
        as stored: StoredEntryName,
        in directory: borrowing StoredDirectory,
        _ status: FileStatus
    ) throws(TransferFault) {
        let root = volume.root.rawValue
        try system { () throws(Errno) in try FileCall.makeLink(name, in: root, to: target) }
        do throws(TransferFault) {
            try system { () throws(Errno) in
                try FileCall.setTimes(
                    of: name,
                    in: root,
                    accessed: status.accessed,
                    modified: status.modified
                )
            }
            try place(stored, in: directory)
        } catch {
            try? FileCall.unlink(name, in: root)
            throw error
        }
    }

    /// Gives a stored file one more name.
    ///
    /// - Parameters:
    ///   - file: A name that it has.
    ///   - from: Where it has it.
    ///   - stored: The name it gets, from whatever has it.
    ///   - directory: Where.
    /// - Throws: ``TransferFault/system(_:)``.
    func name(
        for file: FileName,
        in from: borrowing StoredDirectory,
        as stored: StoredEntryName,
        in directory: borrowing StoredDirectory
    ) throws(TransferFault) {
        let root = volume.root.rawValue
        let parent = from.descriptor.rawValue
        try system { () throws(Errno) in
            try FileCall.link(file, in: parent, to: name, in: root)
        }
        do throws(TransferFault) {
            try place(stored, in: directory)
        } catch {
            try? FileCall.unlink(name, in: root)
            throw error
        }
    }

    /// Makes a directory where there is none.
    func directory(
        as stored: StoredEntryName,
        in parent: borrowing StoredDirectory
    ) throws(TransferFault) {
        let number = parent.descriptor.rawValue
        guard (try? FileStatus(in: number, named: stored.entry)) == nil else {
            try system { () throws(Errno) in
                _ = try FileCall.open(stored.entry, in: number, [.readOnly, .directory])
            }
            return
        }
        let root = volume.root.rawValue
        try system { () throws(Errno) in
            try FileCall.makeDirectory(name, in: root, mode: 0o700)
        }
        do throws(TransferFault) {
            if case .gocryptfs(_, let names) = volume.cipher, names.scheme.hasDirectoryIVs {
                let made = try system { () throws(Errno) in
                    try FileCall.open(name, in: root, [.readOnly, .directory])
                }
                try StoredDirectory.makeIV(in: made.rawValue)
            }
            try place(stored, in: parent)
        } catch {
            if let made = try? FileCall.open(name, in: root, [.readOnly, .directory]) {
                try? FileCall.unlink(StoredDirectory.ivName, in: made.rawValue)
            }
            try? FileCall.removeDirectory(name, in: root)
            throw error
        }
    }

    /// Gives the draft its name: the long name first, for an entry without one is lost.
    private func place(
        _ stored: StoredEntryName,
        in directory: borrowing StoredDirectory
    ) throws(TransferFault) {
        let root = volume.root.rawValue
        let number = directory.descriptor.rawValue
        try system { () throws(Errno) in
            if let longName = stored.longName {
                try Self.write(longName.text, as: longName.file, in: number)
            }
            try FileCall.rename(name, in: root, to: stored.entry, in: number)
        }
    }

    private static func write(
        _ text: [UInt8],
        as name: FileName,
        in directory: Int32
    ) throws(Errno) {
        if let found = try? SmallStoredFile.read(name, in: directory, limit: text.count),
            found == text
        {
            return
        }
        // One that is not whole goes; nothing else has this name.
        do throws(Errno) {
            try FileCall.unlink(name, in: directory)
        } catch  where error == .noSuchFile {}
        let file = try FileCall.open(name, in: directory, [.writeOnly, .createNew], mode: 0o600)
        let number = file.rawValue
        try text.withUnsafeBufferPointer { text throws(Errno) in
            try FileCall.write(number, at: 0, UnsafeRawBufferPointer(text))
        }
        try FileCall.synchronize(number)
    }
}
