internal import Cryptography
internal import Glibc
internal import Linux

extension SecretFile {
    /// Puts a file in place, whole and on the disk, or leaves what was there.
    ///
    /// - Parameters:
    ///   - path: In a directory that exists. A file of the name is replaced in one step.
    ///   - contents: What it shall hold; readable by its owner only.
    /// - Throws: `Errno`.
    ///
    /// The corresponding C functions are `fsync` and `renameat2`.
    static func write(path: String, contents: SecretBytes) throws(Errno) {
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let last = slash.map { String(path[path.index(after: $0)...]) } ?? path
        guard let name = FileName(last.utf8), let draft = FileName("\(last).new".utf8) else {
            throw .isDirectory
        }
        let directory = OwnedDescriptor(
            takingOwnershipOf: try valueOrErrno { open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        )
        // What a run that was cut off has left.
        try? FileCall.unlink(draft, in: directory.rawValue)
        let file = try FileCall.open(
            draft,
            in: directory.rawValue,
            [.writeOnly, .createNew],
            mode: 0o600
        )
        do throws(Errno) {
            try contents.withUnsafeBytes { bytes throws(Errno) in
                try FileCall.write(file.rawValue, at: 0, bytes)
            }
            try FileCall.synchronize(file.rawValue)
            try FileCall.rename(
                draft,
                in: directory.rawValue,
                to: name,
                in: directory.rawValue
            )
            try FileCall.synchronize(directory.rawValue)
        } catch {
            try? FileCall.unlink(draft, in: directory.rawValue)
            throw error
        }
    }
}
