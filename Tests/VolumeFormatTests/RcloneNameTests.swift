import TestSupport
import Testing

@testable import VolumeFormat

/// One way to configure names.
struct NameMode: CustomTestStringConvertible, Sendable {
    var encryption = NameEncryption.standard
    var encoding = NameEncoding.base32
    var directoryNames = true
    var password2 = false

    static let all = [
        NameMode(), NameMode(password2: true), NameMode(directoryNames: false),
        NameMode(encoding: .base64), NameMode(encoding: .base32768),
        NameMode(encryption: .obfuscate),
        NameMode(encryption: .obfuscate, directoryNames: false, password2: true),
        NameMode(encryption: .off),
    ]

    var testDescription: String {
        "\(encryption) \(encoding) directoryNames=\(directoryNames) password2=\(password2)"
    }

    /// What rclone stores under this mode and finds again.
    ///
    /// Without encryption it takes the quote in `‛．` for a character once a suffix follows, and
    /// does not show a name that is nothing but a version.
    var names: [[UInt8]] {
        let lost = ["‛．", "-v2001-02-03-040506-123"].map { Array($0.utf8) }
        return SampleNames.common.filter { encryption != .off || !lost.contains($0) }
    }

    /// Those of the names that can be stored under a key.
    ///
    /// Turned characters may be a quote that quotes nothing, which the format cannot hold; of the keys
    /// that are drawn few have such a name.
    func names(heldBy format: RcloneNames, among candidates: [[UInt8]]? = nil) -> [[UInt8]] {
        let names = candidates ?? names
        let held = names.filter {
            encryption != .obfuscate || (try? format.encryptFileName($0)) != nil
        }
        #expect(names.count - held.count <= 3, "not by chance")
        return held
    }

    func volume() throws -> RcloneVolumeConfiguration {
        try .new(
            nameEncryption: encryption,
            nameEncoding: encoding,
            directoryNames: directoryNames,
            password2: password2
        )
    }
}

@Suite(.requires(.tool("rclone"))) struct `Names, beside rclone` {
    @Test(arguments: NameMode.all)
    func `of files that rclone stored are read`(mode: NameMode) throws {
        let rclone = try Rclone(mode.volume())
        let names = mode.names(heldBy: rclone.names)
        // A folder of rclone's has names in its own quoting.
        let source = Dictionary(
            uniqueKeysWithValues: names.map { (LocalStorageNames.encode($0), $0) }
        )
        try Folder.write(source, to: rclone.directory("plain"))
        try rclone.encrypt("plain")

        var found: [[UInt8]: [UInt8]] = [:]
        for (entry, content) in try Folder.read(rclone.directory("storage")) {
            let name = try rclone.names.decryptFileName(entry)
            #expect(try rclone.names.encryptFileName(name) == entry)
            found[name] = try VolumeFile.decrypted(content, keys: rclone.keys)
        }
        #expect(found.count == names.count)
        #expect(differences(found) { $0 } == [])
    }

    @Test(arguments: NameMode.all)
    func `of files that we store are read by rclone`(mode: NameMode) throws {
        let rclone = try Rclone(mode.volume())
        let names = mode.names(heldBy: rclone.names)
        var stored: [[UInt8]: [UInt8]] = [:]
        for name in names {
            stored[try rclone.names.encryptFileName(name)] = try VolumeFile.encrypted(
                name,
                keys: rclone.keys
            )
        }
        #expect(stored.count == names.count)
        try Folder.write(stored, to: rclone.directory("storage"))
        try rclone.decrypt(to: "plain")

        let found = try Folder.read(rclone.directory("plain"))
        #expect(found.count == names.count)
        #expect(differences(found, LocalStorageNames.encode) == [])
    }

    @Test(arguments: NameMode.all)
    func `of directories are the same, and so is what is in them`(mode: NameMode) throws {
        let rclone = try Rclone(mode.volume())
        // One level is enough: a path is encrypted segment by segment.
        let names = mode.names(heldBy: rclone.names, among: SampleNames.common)
            .filter { String(validating: $0, as: UTF8.self) != nil }
        try Folder.create(rclone.directory("plain"))
        for name in names {
            let folder = String(decoding: LocalStorageNames.encode(name), as: UTF8.self)
            try Folder.write([Array("f".utf8): name], to: rclone.directory("plain/\(folder)"))
        }
        try rclone.encrypt("plain")

        let file = try String(
            decoding: rclone.names.encryptFileName(Array("f".utf8)),
            as: UTF8.self
        )
        var found: [[UInt8]: [UInt8]] = [:]
        for entry in try Folder.entries(rclone.directory("storage")) {
            let name = try rclone.names.decryptDirectoryName(entry)
            #expect(try rclone.names.encryptDirectoryName(name) == entry)
            let folder = rclone.directory("storage/\(String(decoding: entry, as: UTF8.self))")
            let files = try Folder.read(folder)
            #expect(files.count == 1)
            let content = try #require(files[Array(file.utf8)])
            found[name] = try VolumeFile.decrypted(content, keys: rclone.keys)
        }
        #expect(found.count == names.count)
        #expect(differences(found) { $0 } == [])
    }

    @Test func `that a Linux directory shows in another way are encrypted as they are`() throws {
        let rclone = try Rclone(.new())
        var stored: [[UInt8]: [UInt8]] = [:]
        for name in SampleNames.uncommon {
            stored[try rclone.names.encryptFileName(name)] = try VolumeFile.encrypted(
                name,
                keys: rclone.keys
            )
        }
        try Folder.write(stored, to: rclone.directory("storage"))
        try rclone.decrypt(to: "plain")
        let found = try Folder.read(rclone.directory("plain"))
        #expect(found.count == SampleNames.uncommon.count)
        #expect(found.count > 30)
        #expect(differences(found, LocalStorageNames.encode) == [])
    }

    @Test(arguments: [NameEncryption.obfuscate, .off])
    func `that would come back as another name are refused`(encryption: NameEncryption) throws {
        let volume = try RcloneVolumeConfiguration.new(nameEncryption: encryption)
        let names = try volume.makeNames(keys: volume.makeKeys())
        for name in ["line\nbreak", "\u{7f}"] {
            #expect(throws: VolumeFormatError.name(.notCanonical)) {
                try names.encryptFileName(Array(name.utf8))
            }
        }
    }

    @Test func `are as long as a directory entry lets them be`() throws {
        let rclone = try Rclone(.new())
        let longest = [UInt8](repeating: UInt8(ascii: "x"), count: 143)
        #expect(try rclone.names.encryptFileName(longest).count == 231)
        let stored = try rclone.names.encryptFileName(longest + [])
        #expect(try rclone.names.decryptFileName(stored) == longest)
        for count in [144, 255] {
            let name = [UInt8](repeating: UInt8(ascii: "x"), count: count)
            #expect(throws: VolumeFormatError.self) { try rclone.names.encryptFileName(name) }
        }
    }

    /// Files hold their own names: those that do not, as text.
    private func differences(
        _ found: [[UInt8]: [UInt8]],
        _ stored: ([UInt8]) -> [UInt8]
    ) -> [String] {
        found.filter { $0.key != stored($0.value) }.map { key, value in
            "found \(String(decoding: key, as: UTF8.self).debugDescription), "
                + "should be \(String(decoding: stored(value), as: UTF8.self).debugDescription)"
        }
    }
}
