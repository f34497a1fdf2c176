import CryptFS
import Cryptography
import TestSupport
import VolumeFormat

/// Reads a volume of rclone's format from a storage in memory, with the format's functions alone.
///
/// A symbolic link is the file that it is stored as.
struct RcloneImageReader {
    private let keys: RcloneKeys
    private let names: RcloneNames

    /// - Parameters:
    ///   - configuration: The path of `encrypt.conf`.
    ///   - key: What opens it.
    /// - Throws: `VolumeError`, `VolumeFormatError`.
    init(configuration: String, key: String) throws {
        let file = VolumeConfigurationFile(path: configuration)
        guard let configuration = try file.read(key: SecretBytes(copying: key.utf8)) else {
            throw MountedVolume.Failure("no configuration")
        }
        keys = try configuration.makeKeys()
        names = try configuration.makeNames(keys: keys)
    }

    /// Everything that can be found; what is none of the volume's, drafts above all, is passed over.
    func tree(_ image: StorageImage) throws -> ImageReader.Tree {
        var tree = ImageReader.Tree()
        for (path, entry) in image.entries {
            var plain: [String] = []
            let segments = path.split(separator: "/")
            for (index, segment) in segments.enumerated() {
                var name = try? names.decryptDirectoryName(Array(segment.utf8))
                if case .file = entry, index == segments.count - 1 {
                    name = try? names.decryptFileName(Array(segment.utf8))
                }
                guard let name else { break }
                plain.append(String(decoding: name, as: UTF8.self))
            }
            guard plain.count == segments.count else { continue }
            let name = "/" + plain.joined(separator: "/")
            switch entry {
            case .directory: tree.directories.insert(name)
            case .file(let number): tree.files[name] = file(image.contents[number] ?? [])
            case .link: break
            }
        }
        return tree
    }

    /// A file by its blocks of 64 KiB; one block that is an error where there is no header.
    private func file(_ stored: [UInt8]) -> ImageReader.File {
        guard let header = try? stored.withUnsafeBytes({ try RcloneFileHeader(parsing: $0) }),
            let count = try? RcloneContent.plaintextCount(forCiphertext: UInt64(stored.count))
        else { return ImageReader.File(count: 0, blocks: [nil]) }
        var file = ImageReader.File(count: Int(count), blocks: [])
        var offset = RcloneContent.headerCount
        while offset < stored.count {
            let end = min(offset + RcloneContent.sealedBlockCount, stored.count)
            var block = [UInt8](repeating: 0, count: end - offset - 16)
            let isOpen: Void? = try? stored[offset..<end].withUnsafeBytes { sealed in
                try block.withUnsafeMutableBytes { block in
                    try RcloneContent.openBlock(
                        sealed,
                        index: UInt64(file.blocks.count),
                        nonce: header.nonce,
                        keys: keys,
                        into: block
                    )
                }
            }
            file.blocks.append(isOpen == nil ? nil : block)
            offset = end
        }
        return file
    }
}
