import Cryptography
import Testing
import VolumeFormat

@Suite struct `Names` {
    private let keys: RcloneKeys

    init() throws {
        keys = try RcloneKeys(password: SecretBytes(copying: "names".utf8), salt: nil)
    }

    private func names(
        _ encryption: NameEncryption = .standard,
        _ encoding: NameEncoding = .base32
    )
        throws -> RcloneNames
    {
        try RcloneNames(
            keys: keys,
            encryption: encryption,
            encoding: encoding,
            directoryNames: true
        )
    }

    @Test(
        arguments: NameEncryption.allCases,
        ["", ".", "..", "/", "a/b", "\0", "a\0", "/etc/passwd", "../x"]
    )
    func `that no file can have are refused`(encryption: NameEncryption, name: String) throws {
        let names = try names(encryption)
        #expect(throws: VolumeFormatError.name(.notPermitted)) {
            try names.encryptFileName(Array(name.utf8))
        }
        #expect(throws: VolumeFormatError.name(.notPermitted)) {
            try names.encryptDirectoryName(Array(name.utf8))
        }
        #expect(throws: VolumeFormatError.name(.notPermitted)) {
            try names.decryptFileName(Array(name.utf8))
        }
    }

    @Test func `with slashes or dots inside the encryption do not come out`() throws {
        // What another program could have encrypted: obfuscation is easy to make by hand.
        let names = try names(.obfuscate)
        for stored in ["!..", "!...", "46..", "92..."] {
            #expect(throws: VolumeFormatError.self) {
                try names.decryptFileName(Array(stored.utf8))
            }
        }
    }

    @Test(
        arguments: [
            ("", NameFault.notPermitted), ("abcde", .notBlocks(found: 3)), ("w", .notEncoded),
            ("README.md", .notEncoded), ("CHLRCE65IJDO0Q0GMRG9DHVPMG", .notEncoded),
            ("chlrce65ijdo0q0gmrg9dhvpmg", .notPadded), ("chlrce65ijdo0q0gmrg9dhvpmh", .notEncoded),
            ("chlrce65ijdo0q0gmrg9dhvpm", .notEncoded),
            ("chlrce65ijdo0q0gmrg9dhvpmg=", .notEncoded),
            ("chlrce65ijdo0q0gmrg9dhvpmg0", .notEncoded), ("00", .notBlocks(found: 1)),
        ])
    func `that are none of this volume are refused`(entry: String, fault: NameFault) throws {
        let names = try names()
        #expect(throws: VolumeFormatError.name(fault)) {
            try names.decryptFileName(Array(entry.utf8))
        }
        #expect(throws: VolumeFormatError.name(fault)) {
            try names.decryptDirectoryName(Array(entry.utf8))
        }
    }

    @Test func `are accepted in one spelling only`() throws {
        for encoding in NameEncoding.allCases {
            let names = try names(.standard, encoding)
            let stored = try names.encryptFileName(Array("a name".utf8))
            for index in stored.indices {
                for change in [UInt8(0x20), 0x01, 0x40] {
                    var other = stored
                    other[index] ^= change
                    #expect(throws: VolumeFormatError.self) { try names.decryptFileName(other) }
                }
            }
        }
        let names = try names(.obfuscate)
        let stored = try names.encryptFileName(Array("x!y".utf8))
        #expect(try names.decryptFileName(stored) == Array("x!y".utf8))
        for other in ["+", "0", "00"].map({ Array($0.utf8) + stored }) {
            #expect(throws: VolumeFormatError.self) { try names.decryptFileName(other) }
        }
    }

    @Test func `without encryption have a suffix, directories none`() throws {
        let names = try names(.off)
        #expect(try names.encryptFileName(Array("a".utf8)) == Array("a.bin".utf8))
        #expect(try names.decryptFileName(Array("a.bin.bin".utf8)) == Array("a.bin".utf8))
        #expect(try names.encryptDirectoryName(Array("a".utf8)) == Array("a".utf8))
        #expect(try names.decryptDirectoryName(Array("a.bin".utf8)) == Array("a.bin".utf8))
        for entry in ["a", ".bin", "bin", "a.BIN", "a.bi"] {
            #expect(throws: VolumeFormatError.name(.suffixMissing)) {
                try names.decryptFileName(Array(entry.utf8))
            }
        }
        let bare = try RcloneNames(
            keys: keys,
            encryption: .off,
            encoding: .base32,
            directoryNames: true,
            suffix: ""
        )
        #expect(try bare.encryptFileName(Array("a".utf8)) == Array("a".utf8))
        #expect(try bare.decryptFileName(Array("a.bin".utf8)) == Array("a.bin".utf8))
    }

    @Test func `of directories may be left alone`() throws {
        let names = try RcloneNames(
            keys: keys,
            encryption: .standard,
            encoding: .base32,
            directoryNames: false
        )
        #expect(try names.encryptDirectoryName(Array("sub".utf8)) == Array("sub".utf8))
        #expect(try names.encryptFileName(Array("sub".utf8)) != Array("sub".utf8))
    }

    @Test func `longer than a directory entry are refused, by what they would take`() throws {
        let long = [UInt8](repeating: 0x61, count: 144)
        #expect(throws: VolumeFormatError.name(.tooLong(found: 256))) {
            try names().encryptFileName(long)
        }
        #expect(try names(.standard, .base64).encryptFileName(long).count == 214)
        for encryption in NameEncryption.allCases {
            let endless = [UInt8](repeating: 0x61, count: 70_000)
            #expect(throws: VolumeFormatError.name(.tooLong(found: 70_000))) {
                try names(encryption).encryptFileName(endless)
            }
            #expect(throws: VolumeFormatError.self) {
                try names(encryption).decryptFileName(endless)
            }
        }
    }

    @Test func `of random bytes neither trap nor get through`() throws {
        for encryption in NameEncryption.allCases {
            for encoding in NameEncoding.allCases {
                let names = try names(encryption, encoding)
                for seed in UInt64(1)...2_000 {
                    let entry = VolumeFile.sample(Int(seed % 97) + 1, seed: seed)
                    guard let name = try? names.decryptFileName(entry) else { continue }
                    #expect(try names.encryptFileName(name) == entry)
                }
            }
        }
    }
}
