import Cryptography
import TestSupport
import Testing
import VolumeFormat

import struct Foundation.Data
import class Foundation.FileManager
import struct Foundation.URL

@Suite struct `The original program's demo` {
    private static let password =
        "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"

    private func read(_ name: String) throws -> [UInt8] {
        try Array(
            Data(contentsOf: URL(fileURLWithPath: Fixtures.path("secure-store-demo/\(name)")))
        )
    }

    private func volume() throws -> RcloneVolumeConfiguration {
        let configuration = try read("encrypt.conf").withUnsafeBytes {
            try RcloneConfiguration(
                decrypting: $0,
                password: SecretBytes(copying: Self.password.utf8)
            )
        }
        return try RcloneVolumeConfiguration(configuration)
    }

    @Test func `has the configuration that new volumes follow`() throws {
        let volume = try volume()
        #expect(volume.configuration.remoteNames == ["storage", "encrypted_storage"])
        #expect(volume.configuration.options(of: "storage") == ["type"])
        #expect(
            volume.configuration.options(of: "encrypted_storage") == ["type", "remote", "password"]
        )
        #expect(volume.remoteName == "encrypted_storage")
        #expect(volume.remotePath == "storage")
        #expect(volume.password.count == 44)
        #expect(volume.password2 == nil)
        #expect(volume.nameEncryption == .standard)
        #expect(volume.nameEncoding == .base32)
        #expect(volume.encryptsDirectoryNames)
    }

    @Test func `opens byte for byte`() throws {
        let volume = try volume()
        let keys = try volume.makeKeys()
        let names = try volume.makeNames(keys: keys)
        let expected = [
            "test1": "b0422668d599097893bc03b12e580f109dd62f25a7c0d4202db8c62a9ebb8fbc",
            "test2": "1d3246c2662834311bd9444858a24fe414d5faabd0e095c80855f50557ae0ad7",
            "test3": "830b2afc66747598ea413017f24296d7d71bbe74ec7fc277fcebfcf362f644ec",
        ]
        let storage = Fixtures.path("secure-store-demo/storage")
        var found: [String: String] = [:]
        for entry in try FileManager.default.contentsOfDirectory(atPath: storage) {
            let name = try names.decryptFileName(Array(entry.utf8))
            let content = try VolumeFile.decrypted(read("storage/\(entry)"), keys: keys)
            let digest = content.withUnsafeBytes { SHA256.digest(of: $0) }
            found[String(decoding: name, as: UTF8.self)] = Hexadecimal.encode(digest)
            #expect(try names.encryptFileName(name) == Array(entry.utf8))
        }
        #expect(found == expected)
    }

    @Test func `does not open with another password`() throws {
        let file = try read("encrypt.conf")
        #expect(throws: VolumeFormatError.wrongPassword) {
            try file.withUnsafeBytes {
                try RcloneConfiguration(
                    decrypting: $0,
                    password: SecretBytes(copying: "another".utf8)
                )
            }
        }
    }
}
