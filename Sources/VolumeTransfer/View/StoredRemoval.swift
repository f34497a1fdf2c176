internal import CryptFS
internal import Linux
internal import VolumeFormat

/// Removes an entry from a volume.
struct StoredRemoval {
    private let volume: StoredVolume

    init(_ volume: StoredVolume) {
        self.volume = volume
    }

    /// Removes a file, a link, or a directory with nothing in it; what is gone already is gone.
    ///
    /// - Parameters:
    ///   - path: The plain path.
    ///   - kind: What is stored there.
    ///   - other: A kind that is stored there now; where that has the same name, nothing is done.
    /// - Throws: ``TransferFault``.
    func run(
        _ path: [[UInt8]],
        _ kind: TreeEntry.Kind,
        unlessStoredAs other: TreeEntry.Kind? = nil
    ) throws(TransferFault) {
        guard let name = path.last else { return }
        do throws(TransferFault) {
            let parent = try volume.directory(at: path.dropLast())
            let stored = try volume.storedName(name, kind, in: parent)
            if let other, try volume.storedName(name, other, in: parent).entry == stored.entry {
                return
            }
            let number = parent.descriptor.rawValue
            if kind == .directory {
                try removeDirectory(stored.entry, in: number)
            } else {
                try system { () throws(Errno) in try FileCall.unlink(stored.entry, in: number) }
            }
            // Without what it belongs to it means nothing, should this fail.
            if let longName = stored.longName { try? FileCall.unlink(longName.file, in: number) }
            try system { () throws(Errno) in try FileCall.synchronize(number) }
        } catch .system(.noSuchFile) {
            return
        }
    }

    /// Under a draft's name first: a directory without the file its names are bound to would be a
    /// damaged one, should this end in between.
    private func removeDirectory(
        _ entry: FileName,
        in parent: Int32
    ) throws(TransferFault) {
        let ivName = StoredDirectory.ivName
        try system { () throws(Errno) in
            let directory = try FileCall.open(entry, in: parent, [.readOnly, .directory])
            var isEmpty = true
            try DirectoryScan.forEach(in: directory.rawValue) { record in
                if !record.name.elementsEqual(ivName.bytes) { isEmpty = false }
            }
            guard isEmpty else { throw .notEmpty }
            let draft = DraftName.make()
            let root = volume.root.rawValue
            try FileCall.rename(entry, in: parent, to: draft, in: root, .keepExisting)
            try? FileCall.unlink(ivName, in: directory.rawValue)
            try FileCall.removeDirectory(draft, in: root)
        }
    }
}
