import Cryptography
import Foundation
import VolumeFormat

/// Reads a volume of gocryptfs's format from a storage in memory, with the format's functions alone: so
/// fast that thousands of states can be looked at.
struct ImageReader {
    private let keys: GocryptfsKeys
    private let names: GocryptfsNames

    /// A file as it can be read: its blocks, nil where one is an error; no blocks where the header is.
    struct File: Hashable {
        var count: Int
        var blocks: [[UInt8]?]

        /// The whole content, if all of it can be read.
        var content: [UInt8]? {
            blocks.contains(nil) ? nil : blocks.flatMap { $0 ?? [] }
        }
    }

    /// What a volume shows.
    struct Tree {
        var files: [String: File] = [:]
        var directories: Set<String> = [""]

        /// Directories, by their plain path, whose names cannot be read any more.
        var closed: Set<String> = []
    }

    /// - Parameters:
    ///   - configuration: `gocryptfs.conf`.
    ///   - key: What opens it.
    /// - Throws: `VolumeFormatError`.
    init(configuration: [UInt8], key: String) throws {
        let parsed = try configuration.withUnsafeBytes { try GocryptfsConfiguration(parsing: $0) }
        let masterKey = try parsed.unlock(password: SecretBytes(copying: key.utf8))
        keys = try parsed.makeKeys(masterKey)
        names = try parsed.makeNames(keys: keys)
    }

    /// Of the volume that lies in a directory.
    init(of storage: String) throws {
        let configuration = URL(fileURLWithPath: storage + "/gocryptfs.conf")
        try self.init(
            configuration: Array(Data(contentsOf: configuration)),
            key: MountedVolume.key
        )
    }

    /// Everything that can be found.
    func tree(_ image: StorageImage) throws -> Tree {
        var tree = Tree()
        var children: [String: [String]] = [:]
        for path in image.entries.keys {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            children[String(path[..<slash]), default: []].append(path)
        }
        try collect("", "", image, children, into: &tree)
        return tree
    }

    private func collect(
        _ stored: String,
        _ plain: String,
        _ image: StorageImage,
        _ children: [String: [String]],
        into tree: inout Tree
    ) throws {
        guard
            let iv = try? content(image, stored + "/gocryptfs.diriv")?.withUnsafeBytes({
                try GocryptfsDirectoryIV(parsing: $0)
            })
        else {
            tree.closed.insert(plain)
            return
        }
        for path in children[stored, default: []] {
            let entry = Array(path.utf8.dropFirst(stored.utf8.count + 1))
            let longText: [UInt8]?
            switch entry.withUnsafeBytes({ names.kind(of: $0, isRoot: stored.isEmpty) }) {
            case .configuration, .directoryIV, .longName: continue
            case .name: longText = nil
            case .longContent: longText = content(image, path + ".name") ?? []
            }
            guard
                let name = try? names.name(
                    of: GocryptfsStoredName(entry: entry, longText: longText),
                    in: iv
                )
            else { continue }
            let plainPath = plain + "/" + String(decoding: name, as: UTF8.self)
            switch image.entries[path] {
            case .directory:
                tree.directories.insert(plainPath)
                try collect(path, plainPath, image, children, into: &tree)
            case .file: tree.files[plainPath] = try file(content(image, path) ?? [])
            case .link, nil: break
            }
        }
    }

    private func content(_ image: StorageImage, _ path: String) -> [UInt8]? {
        guard case .file(let number) = image.entries[path] else { return nil }
        return image.contents[number]
    }

    private func file(_ stored: [UInt8]) throws -> File {
        var cipher = try GocryptfsContent(keys: keys)
        let geometry = cipher.geometry
        let count = Int(geometry.shownCount(forStored: UInt64(stored.count)))
        var file = File(count: count, blocks: [])
        guard count > 0 else { return file }
        let header = try? stored.withUnsafeBytes { try GocryptfsFileHeader(parsing: $0) }
        for index in 0..<(count + 4095) / 4096 {
            let start = GocryptfsFileHeader.count + index * geometry.sealedBlockCount
            let sealed = stored[start..<min(start + geometry.sealedBlockCount, stored.count)]
            var block = [UInt8](repeating: 0, count: max(sealed.count - geometry.overhead, 0))
            let isOpen: Void? = try? sealed.withUnsafeBytes { sealed in
                try block.withUnsafeMutableBytes { block in
                    guard let header else { throw VolumeFormatError.headerNotRecognized }
                    try cipher.open(sealed, from: UInt64(index), of: header.id, into: block)
                }
            }
            file.blocks.append(isOpen == nil ? nil : block)
        }
        return file
    }
}
