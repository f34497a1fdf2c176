import Foundation

extension StorageImage {
    private static let lockFile = "/gocryptfs.longname.secure-store-writer.name"

    /// Makes it a real directory, and has the writer's notes name the inode numbers that files have there.
    func writeWithNotes(to directory: String) throws {
        try write(to: directory)
        guard case .file(let number) = entries[Self.lockFile], var notes = contents[number]
        else { return }
        var numbers: [UInt64: UInt64] = [:]
        for (name, entry) in entries {
            var status = stat()
            guard case .file(let number) = entry, stat(directory + name, &status) == 0
            else { continue }
            numbers[number] = UInt64(status.st_ino)
        }
        for start in stride(from: 4096, to: notes.count - 63, by: 4096)
        where notes[start..<start + 8].elementsEqual("SSWRITE1".utf8) {
            notes.withUnsafeMutableBytes { notes in
                let old = notes.loadUnaligned(fromByteOffset: start + 48, as: UInt64.self)
                let new = numbers[old] ?? 0
                notes.storeBytes(of: new, toByteOffset: start + 48, as: UInt64.self)
            }
        }
        try Data(notes).write(to: URL(fileURLWithPath: directory + Self.lockFile))
    }
}
