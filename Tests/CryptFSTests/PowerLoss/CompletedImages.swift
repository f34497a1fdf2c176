import CryptFS
import Cryptography
import Foundation
import TestSupport

/// Reads states of a storage once a writer has completed what its journal notes.
final class CompletedImages {
    private let reader: ImageReader
    private let directory: TemporaryDirectory
    private var count = 0
    private static let journal = "/gocryptfs.longname.secure-store-writer.name"

    /// Of the volume that lies in a directory.
    init(of storage: String) throws {
        reader = try ImageReader(of: storage)
        directory = try TemporaryDirectory(in: "/dev/shm")
    }

    /// Everything that can be found.
    func tree(_ image: StorageImage) throws -> ImageReader.Tree {
        count += 1
        let path = directory("\(count)")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try image.write(to: path)
        try renumber(image, in: path)
        do {
            _ = try Volume.open(
                VolumeLocation(storage: path),
                key: SecretBytes(copying: MountedVolume.key.utf8),
                options: VolumeOptions(keepsJournal: count.isMultiple(of: 2))
            )
        }
        return try reader.tree(StorageImage(reading: path))
    }

    /// A file's inode number is another in the copy.
    private func renumber(_ image: StorageImage, in path: String) throws {
        guard case .file(let journal) = image.entries[Self.journal],
            var notes = image.contents[journal]
        else { return }
        var numbers: [UInt64: UInt64] = [:]
        for (name, entry) in image.entries {
            var status = stat()
            guard case .file(let number) = entry, stat(path + name, &status) == 0 else { continue }
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
        try Data(notes).write(to: URL(fileURLWithPath: path + Self.journal))
    }
}
