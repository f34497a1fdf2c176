import Cryptography
import JSONText
import TestSupport
import Testing
import VolumeFormat

@Suite struct `A gocryptfs.conf` {
    private static func golden() throws -> String {
        try String(
            decoding: GocryptfsVolume.file(Fixtures.path("gocryptfs/default/gocryptfs.conf")),
            as: UTF8.self
        )
    }

    private static func parse(_ text: String) throws -> GocryptfsConfiguration {
        try Array(text.utf8).withUnsafeBytes { try GocryptfsConfiguration(parsing: $0) }
    }

    /// What is replaced, by what, and what is said.
    static let failures: [(String, String, GocryptfsConfigurationFault)] = [
        ("\"Version\": 2", "\"Version\": 1", .version(found: 1)),
        ("\"Version\": 2", "\"Version\": 3", .version(found: 3)),
        ("\"Version\": 2", "\"Version\": \"2\"", .json(.invalid(member: "Version"))),
        ("\"Version\": 2", "\"Version\": 2, \"Nova\": 1", .memberUnknown(name: "Nova")),
        ("\"P\": 1", "\"P\": 1, \"Q\": 1", .memberUnknown(name: "Q")),
        ("\"HKDF\"", "\"HKDF\", \"Compression\"", .featureUnknown(name: "Compression")),
        ("\"HKDF\"", "\"hkdf\"", .featureUnknown(name: "hkdf")),
        ("\"HKDF\"", "\"HKDF\", \"HKDF\"", .featureTwice(.hkdf)),
        ("\"HKDF\"", "\"HKDF\", \"FIDO2\"", .fido2),
        (
            "\"HKDF\"", "\"HKDF\", \"PlaintextNames\"",
            .featuresContradict(.plaintextNames, .emeNames)
        ),
        (
            "\"HKDF\"", "\"HKDF\", \"XChaCha20Poly1305\"",
            .featuresContradict(.xchacha20Poly1305, .gcmIV128)
        ),
        ("\"GCMIV128\"", "\"AESSIV\"", .featureMissing(.gcmIV128)),
        ("\"HKDF\",\n\t\t\"GCMIV128\"", "\"XChaCha20Poly1305\"", .featureMissing(.hkdf)),
        ("\"EMENames\",", "", .featureMissing(.emeNames)),
        ("\"HKDF\",\n", "\n", .encryptedKey),
        ("\"HKDF\"", "\"HKDF\", \"LongNameMax\"", .longNameMax(found: nil)),
        ("\"Version\": 2", "\"Version\": 2, \"LongNameMax\": 100", .longNameMax(found: 100)),
        ("\"N\": 1024", "\"N\": 512", .scrypt), ("\"N\": 1024", "\"N\": 1025", .scrypt),
        ("\"N\": 1024", "\"N\": 2097152", .scrypt), ("\"N\": 1024", "\"N\": -1024", .scrypt),
        ("\"N\": 1024", "\"N\": 9223372036854775807", .scrypt), ("\"R\": 8", "\"R\": 4", .scrypt),
        ("\"N\": 1024", "\"N\": -9223372036854775808", .scrypt),
        ("\"N\": 1024,\n\t\t\"R\": 8", "\"N\": 1048576,\n\t\t\"R\": 16", .scrypt),
        ("\"P\": 1", "\"P\": 17", .scrypt), ("\"P\": 1", "\"P\": 0", .scrypt),
        ("\"KeyLen\": 32", "\"KeyLen\": 64", .scrypt),
        ("\"Salt\": \"", "\"Salt\": \"!", .json(.invalid(member: "Salt"))),
        ("\"EncryptedKey\": \"", "\"EncryptedKey\": \"AAAA", .encryptedKey),
        ("\"EncryptedKey\"", "\"Key\"", .memberUnknown(name: "Key")),
        ("\"FeatureFlags\"", "\"Features\"", .json(.missing(member: "FeatureFlags"))),
    ]

    @Test(arguments: failures)
    func `that is not right is refused with the reason`(
        part: String,
        replacement: String,
        fault: GocryptfsConfigurationFault
    ) throws {
        let text = try Self.golden()
        // The negative control: unchanged it is taken.
        _ = try Self.parse(text)
        let changed = text.replacing(part, with: replacement)
        try #require(changed != text, "\(part) is not in the fixture")
        #expect(throws: VolumeFormatError.gocryptfs(fault)) { try Self.parse(changed) }
        #expect(!fault.description.isEmpty)
    }

    @Test func `that is cut off anywhere is refused`() throws {
        let text = try Self.golden()
        for count in 0..<text.utf8.count - 2 {
            #expect(throws: VolumeFormatError.self) { try Self.parse(String(text.prefix(count))) }
        }
        #expect(throws: VolumeFormatError.gocryptfs(.json(.tooLong))) {
            try Self.parse(text + String(repeating: " ", count: 65_536))
        }
    }

    @Test func `says by name which feature is not supported`() throws {
        let text = try Self.golden().replacing("\"HKDF\"", with: "\"HKDF\", \"Compression\"")
        do {
            _ = try Self.parse(text)
            Issue.record("taken")
        } catch {
            #expect("\(error)" == "the volume uses feature 'Compression', which is not supported")
        }
    }

    private static let schemes: [GocryptfsNameScheme] = [
        .plaintext, .encrypted(.init()), .encrypted(.init(hasDirectoryIVs: false)),
        .encrypted(.init(longNameMax: 62)), .encrypted(.init(longNameMax: nil)),
        .encrypted(.init(isPadded: true)),
    ]

    @Test(arguments: GocryptfsCipher.allCases, schemes)
    func `that is new is read again, and opens with its password only`(
        cipher: GocryptfsCipher,
        names: GocryptfsNameScheme
    ) throws {
        let masterKey = GocryptfsMasterKey.random()
        let password = SecretBytes(copying: "first".utf8)
        let new = try GocryptfsConfiguration.new(
            masterKey: masterKey,
            password: password,
            cipher: cipher,
            names: names,
            scrypt: GocryptfsScrypt(exponent: 10),
            creator: "a test \"quoted\""
        )
        let read = try new.text.withUnsafeBytes { try GocryptfsConfiguration(parsing: $0) }
        #expect(read == new)
        #expect(read.cipher == cipher)
        #expect(read.nameScheme == names)
        #expect(try read.unlock(password: password).bytes.isEqual(to: masterKey.bytes))
        let other = SecretBytes(copying: "second".utf8)
        #expect(throws: VolumeFormatError.wrongPassword) { try read.unlock(password: other) }

        let changed = try read.rewrapped(
            masterKey,
            password: other,
            scrypt: GocryptfsScrypt(exponent: 11)
        )
        #expect(changed.features == read.features)
        #expect(changed.scrypt.salt != read.scrypt.salt)
        #expect(try changed.unlock(password: other).bytes.isEqual(to: masterKey.bytes))
        #expect(throws: VolumeFormatError.wrongPassword) { try changed.unlock(password: password) }
    }

    @Test func `a master key is on paper as gocryptfs prints it`() throws {
        let bytes = SecretBytes(copying: (0..<32).map { UInt8($0 * 8) })
        let key = try #require(GocryptfsMasterKey(bytes))
        let paper = "00081018-20283038-40485058-60687078-80889098-a0a8b0b8-c0c8d0d8-e0e8f0f8"
        #expect(key.paper.isEqual(to: SecretBytes(copying: paper.utf8)))
        for text in [
            paper, paper.uppercased(), paper.replacing("-", with: ""),
            paper.replacing("-80", with: "-\n    80") + "\n",
        ] {
            let read = GocryptfsMasterKey(paper: SecretBytes(copying: text.utf8))
            #expect(read?.bytes.isEqual(to: bytes) == true, "\(text)")
        }
        for text in [
            "", "00", paper + "00", String(paper.dropLast()), paper.replacing("f8", with: "g8"),
            paper + "\0",
        ] {
            #expect(GocryptfsMasterKey(paper: SecretBytes(copying: text.utf8)) == nil, "\(text)")
        }
    }
}
