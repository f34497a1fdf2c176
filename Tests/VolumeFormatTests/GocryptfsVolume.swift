import Cryptography
import TestSupport
import Testing
import VolumeFormat

import struct Foundation.Data
import struct Foundation.FileAttributeType
import class Foundation.FileManager
import struct Foundation.URL

/// A stored volume, read with what is under test and nothing else.
struct GocryptfsVolume {
    /// One of Debian's gocryptfs 2.3, as a folder of the fixtures is called.
    static let golden = [
        "default", "xchacha", "aessiv", "deterministic-names", "plaintextnames", "longnamemax",
    ]
    static let goldenPassword = SecretBytes(copying: "golden volume".utf8)

    let path: String
    let configuration: GocryptfsConfiguration
    let keys: GocryptfsKeys
    let names: GocryptfsNames

    init(golden name: String) throws {
        try self.init(Fixtures.path("gocryptfs/\(name)"), password: Self.goldenPassword)
    }

    init(_ path: String, password: SecretBytes) throws {
        self.path = path
        configuration = try Self.file("\(path)/gocryptfs.conf").withUnsafeBytes {
            try GocryptfsConfiguration(parsing: $0)
        }
        keys = try configuration.makeKeys(configuration.unlock(password: password))
        names = try configuration.makeNames(keys: keys)
    }

    /// Everything in it by its plain path: a file's content, a link's target after `-> `, a
    /// directory's nothing.
    func tree() throws -> [String: [UInt8]] {
        var tree: [String: [UInt8]] = [:]
        try collect(path, "", into: &tree)
        return tree
    }

    private func collect(
        _ folder: String,
        _ prefix: String,
        into tree: inout [String: [UInt8]]
    ) throws {
        let iv: GocryptfsDirectoryIV
        if configuration.nameScheme.hasDirectoryIVs {
            iv = try Self.file("\(folder)/gocryptfs.diriv").withUnsafeBytes {
                try GocryptfsDirectoryIV(parsing: $0)
            }
        } else {
            iv = .deterministic
        }
        for entry in try Folder.entries(folder) {
            let kind = entry.withUnsafeBytes { names.kind(of: $0, isRoot: prefix.isEmpty) }
            let stored = "\(folder)/\(String(decoding: entry, as: UTF8.self))"
            let longText: [UInt8]?
            switch kind {
            case .configuration, .directoryIV, .longName: continue
            case .name: longText = nil
            case .longContent: longText = try Self.file(stored + ".name")
            }
            let storedName = GocryptfsStoredName(entry: entry, longText: longText)
            let name = try names.name(of: storedName, in: iv)
            #expect(try names.store(name, in: iv) == storedName)
            let plain = prefix + String(decoding: name, as: UTF8.self)
            let attributes = try FileManager.default.attributesOfItem(atPath: stored)
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory:
                tree[plain] = []
                try collect(stored, plain + "/", into: &tree)
            case .typeSymbolicLink:
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: stored)
                tree[plain] = Array("-> ".utf8) + (try self.target(Array(target.utf8)))
            default:
                tree[plain] = try content(Self.file(stored))
            }
        }
    }

    private func target(_ text: [UInt8]) throws -> [UInt8] {
        if configuration.nameScheme == .plaintext { return text }
        var content = try GocryptfsContent(keys: keys)
        return try names.decodeTarget(text).withUnsafeBytes { try content.openValue($0) }
    }

    /// Opens a stored file.
    func content(_ file: [UInt8]) throws -> [UInt8] {
        var cipher = try GocryptfsContent(keys: keys)
        let count = try cipher.geometry.plaintextCount(forStored: UInt64(file.count))
        guard count > 0 else { return [] }
        var content = [UInt8](repeating: 0, count: Int(count))
        try file.withUnsafeBytes { file in
            let header = try GocryptfsFileHeader(parsing: file)
            try content.withUnsafeMutableBytes { content in
                try cipher.open(
                    UnsafeRawBufferPointer(rebasing: file[GocryptfsFileHeader.count...]),
                    from: 0,
                    of: header.id,
                    into: content
                )
            }
        }
        return content
    }

    /// Seals a file.
    func stored(_ content: [UInt8], id: GocryptfsFileID = .random()) throws -> [UInt8] {
        var cipher = try GocryptfsContent(keys: keys)
        let count = try cipher.geometry.storedCount(forPlaintext: UInt64(content.count))
        guard count > 0 else { return [] }
        var file = [UInt8](repeating: 0, count: Int(count))
        try file.withUnsafeMutableBytes { file in
            try GocryptfsFileHeader(id: id).write(into: file)
            try content.withUnsafeBytes { content in
                try cipher.seal(
                    content,
                    from: 0,
                    of: id,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: file[GocryptfsFileHeader.count...]
                    )
                )
            }
        }
        return file
    }

    static func file(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
