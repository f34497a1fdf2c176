import CryptFS
import Cryptography
import Foundation
import TestSupport

/// Reads states of a storage once a writer has completed what its journal notes.
final class CompletedImages {
    private let reader: ImageReader
    private let directory: TemporaryDirectory
    private var count = 0

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
        try image.writeWithNotes(to: path)
        do {
            _ = try Volume.open(
                VolumeLocation(storage: path),
                key: SecretBytes(copying: MountedVolume.key.utf8),
                options: VolumeOptions(keepsJournal: count.isMultiple(of: 2))
            )
        }
        return try reader.tree(StorageImage(reading: path))
    }
}
