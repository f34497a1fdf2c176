internal import CryptFS
public import Linux

// What an interrupted run left.
extension StoredVolume {
    /// Takes it away; the storage is locked, so nobody is writing one.
    ///
    /// - Throws: Where the storage cannot be listed.
    public func removeDrafts() throws(Errno) {
        var drafts: [FileName] = []
        try DirectoryScan.forEach(in: root.rawValue) { record in
            if DraftName.matches(record.name), let name = FileName(record.name) {
                drafts.append(name)
            }
        }
        for draft in drafts {
            do throws(Errno) {
                try FileCall.unlink(draft, in: root.rawValue)
            } catch {
                try? removeDirectory(draft)
            }
        }
    }

    private func removeDirectory(_ draft: FileName) throws(Errno) {
        let directory = try FileCall.open(draft, in: root.rawValue, [.readOnly, .directory])
        try? FileCall.unlink(StoredDirectory.ivName, in: directory.rawValue)
        try FileCall.removeDirectory(draft, in: root.rawValue)
    }
}
