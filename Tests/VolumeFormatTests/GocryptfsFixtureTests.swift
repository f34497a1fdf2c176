import Cryptography
import TestSupport
import Testing
import VolumeFormat

@Suite struct `Volumes of Debian's gocryptfs` {
    /// What every golden volume was filled with.
    private static let tree: [String: [UInt8]] = {
        func content(_ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(($0 * 7 + $0 / 251) % 256) }
        }
        func long(_ letter: Character, _ count: Int) -> String {
            String(repeating: letter, count: count)
        }
        return [
            "empty": [], "one": Array("x".utf8), "hard link": Array("x".utf8),
            "block": [UInt8](repeating: UInt8(ascii: "a"), count: 4096), "more": content(9000),
            "sparse": [UInt8](repeating: 0, count: 3 * 4096 + 10) + Array("end".utf8),
            "folder": [], "folder/inner": content(100), "folder/deep": [],
            long("n", 255): Array("longest".utf8), long("n", 120): Array("medium".utf8),
            long("d", 200): [], "\(long("d", 200))/f": Array("in a long directory".utf8),
            "link": Array("-> folder/inner".utf8),
            long("l", 180): Array("-> \(long("t", 500))".utf8),
            "späte Grüße.txt": Array("é".utf8),
        ]
    }()

    @Test(arguments: GocryptfsVolume.golden)
    func `open byte for byte`(name: String) throws {
        let volume = try GocryptfsVolume(golden: name)
        let found = try volume.tree()
        var expected = Set(Self.tree.keys)
        // Git keeps no directory with nothing in it, not even the bytes its names are bound to.
        if !volume.configuration.nameScheme.hasDirectoryIVs { expected.remove("folder/deep") }
        #expect(Set(found.keys) == expected)
        for (path, content) in found {
            #expect(content == Self.tree[path], "\(name): \(path)")
        }
    }

    @Test(arguments: GocryptfsVolume.golden)
    func `have a configuration that is written as it was read`(name: String) throws {
        let file = try GocryptfsVolume.file(Fixtures.path("gocryptfs/\(name)/gocryptfs.conf"))
        let configuration = try file.withUnsafeBytes { try GocryptfsConfiguration(parsing: $0) }
        #expect(configuration.text == file)
        #expect(configuration.creator == "gocryptfs 2.3")
        #expect(configuration.scrypt.cost == Scrypt.Cost(n: 1024, r: 8, p: 1))
    }

    @Test func `have the master key that gocryptfs-xray prints, and attributes`() throws {
        for vector in try Vectors.read("gocryptfs-volumes.txt") {
            let volume = try GocryptfsVolume(golden: vector.text("volume"))
            let key = try volume.configuration.unlock(password: GocryptfsVolume.goldenPassword)
            let paper = SecretBytes(copying: vector.text("master key").utf8)
            #expect(GocryptfsMasterKey(paper: paper)?.bytes.isEqual(to: key.bytes) == true)
            #expect(Hexadecimal.encode(key.paper.withUnsafeBytes { Array($0) }).count == 142)
            #expect(
                GocryptfsMasterKey(paper: key.paper)?.bytes.isEqual(to: key.bytes) == true
            )

            let stored = Array(vector.text("attribute").utf8)
            #expect(
                try volume.names.decryptAttributeName(stored) == Array("user.comment".utf8)
            )
            #expect(
                try volume.names.encryptAttributeName(Array("user.comment".utf8)) == stored
            )
            let empty = Array(vector.text("empty attribute").utf8)
            #expect(try volume.names.decryptAttributeName(empty) == Array("user.empty".utf8))
            var content = try GocryptfsContent(keys: volume.keys)
            #expect(
                try vector["value"].withUnsafeBytes { try content.openValue($0) }
                    == Array("note".utf8)
            )
        }
    }

    @Test func `do not open with another password`() throws {
        #expect(throws: VolumeFormatError.wrongPassword) {
            try GocryptfsVolume(
                Fixtures.path("gocryptfs/default"),
                password: SecretBytes(copying: "golden volumf".utf8)
            )
        }
    }

    @Test(arguments: [
        ("default", GocryptfsCipher.aesGCM, true), ("xchacha", .xchacha20Poly1305, true),
        ("aessiv", .aesSIV, true), ("deterministic-names", .aesGCM, false),
        ("plaintextnames", .aesGCM, false), ("longnamemax", .aesGCM, true),
    ])
    func `say how they are stored`(name: String, cipher: GocryptfsCipher, hasIVs: Bool) throws {
        let configuration = try GocryptfsVolume(golden: name).configuration
        #expect(configuration.cipher == cipher)
        #expect(configuration.nameScheme.hasDirectoryIVs == hasIVs)
        #expect((configuration.nameScheme == .plaintext) == (name == "plaintextnames"))
        #expect(configuration.longNameMax == (name == "longnamemax" ? 100 : nil))
    }
}
