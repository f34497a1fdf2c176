import TestSupport
import Testing
import VolumeFormat

@Suite(.requires(.tool("rclone"))) struct `Contents, beside rclone` {
    private static let sizes = [
        0, 1, 15, 16, 17, 65_519, 65_520, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073,
        3 * 1_048_576 + 7, 8 * 65_536,
    ]

    private static let files: [[UInt8]: [UInt8]] = Dictionary(
        uniqueKeysWithValues: sizes.map {
            (Array("\($0)".utf8), VolumeFile.sample($0, seed: UInt64($0) + 1))
        }
    )

    @Test(arguments: [false, true])
    func `that rclone encrypted open`(password2: Bool) throws {
        let rclone = try Rclone(.new(password2: password2))
        try Folder.write(Self.files, to: rclone.directory("plain"))
        try rclone.encrypt("plain")
        var found: [[UInt8]: [UInt8]] = [:]
        for (entry, file) in try Folder.read(rclone.directory("storage")) {
            let content = try VolumeFile.decrypted(file, keys: rclone.keys)
            found[try rclone.names.decryptFileName(entry)] = content
            #expect(
                try RcloneContent.ciphertextCount(forPlaintext: UInt64(content.count))
                    == UInt64(file.count)
            )
        }
        #expect(found == Self.files)
    }

    @Test(arguments: [false, true])
    func `that we encrypted open in rclone`(password2: Bool) throws {
        let rclone = try Rclone(.new(password2: password2))
        var stored: [[UInt8]: [UInt8]] = [:]
        for (name, content) in Self.files {
            stored[try rclone.names.encryptFileName(name)] = try VolumeFile.encrypted(
                content,
                keys: rclone.keys
            )
        }
        try Folder.write(stored, to: rclone.directory("storage"))
        try rclone.decrypt(to: "plain")
        #expect(try Folder.read(rclone.directory("plain")) == Self.files)
    }

    @Test func `under a nonce that overflows its first words open in rclone`() throws {
        let rclone = try Rclone(.new())
        let ones = [UInt8](repeating: 0xff, count: 24)
        let nonce = try #require(ones.withUnsafeBytes { FileNonce($0) })
        let content = VolumeFile.sample(5 * 65_536 + 1)
        let name = try rclone.names.encryptFileName([0x66])
        try Folder.write(
            [name: VolumeFile.encrypted(content, nonce: nonce, keys: rclone.keys)],
            to: rclone.directory("storage")
        )
        try rclone.decrypt(to: "plain")
        #expect(try Folder.read(rclone.directory("plain")) == [[0x66]: content])
    }
}
