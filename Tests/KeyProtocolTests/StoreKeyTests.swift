import Cryptography
import KeyProtocol
import Testing

@Suite struct `Store keys` {
    @Test func `a generated key is recognised by prefix, length and checksum`() throws {
        let key = try storeKey("ssk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8kSZ-ig")
        #expect(key.generated?.id == "38a1e4a8")
        #expect(key.generated?.bytes.isEqual(to: SecretBytes(copying: 0..<32)) == true)
    }

    @Test(arguments: [
        "ssk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8kSZ-ih",
        "ssk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9kSZ-ig",
        "ssk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8kSZ-i",
        "ssk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8kSZ-ig0",
        "SSK1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8kSZ-ig", "ssk1_", "password", "p",
    ])
    func `anything else is a password`(text: String) throws {
        #expect(try storeKey(text).generated == nil)
    }

    @Test func `a drawn key reads back as itself`() throws {
        let drawn = StoreKey.generate()
        let read = try StoreKey(drawn.text)
        #expect(read.generated?.id == drawn.generated?.id)
        #expect(drawn.text.count == 54)
        #expect(!drawn.text.isEqual(to: StoreKey.generate().text))
    }

    @Test(arguments: [
        ([], KeyFormatError.invalidLength(found: 0)),
        ([UInt8](repeating: 65, count: 4097), .invalidLength(found: 4097)),
        ([65, 0, 65], .controlCharacter), ([65, 10], .controlCharacter), ([13], .controlCharacter),
    ])
    func `what no file or variable could carry is refused`(
        bytes: [UInt8],
        expected: KeyFormatError
    ) {
        #expect(throws: expected) { try StoreKey(SecretBytes(copying: bytes)) }
    }
}

@Suite struct `Key bundles` {
    @Test func `cross a pipe unchanged`() throws {
        var bundle = KeyBundle()
        try bundle.add(storeKey("one"), named: "default")
        try bundle.add(.generate(), named: "volume.2")
        let read = try bundle.encoded().withUnsafeBytes { bytes in
            try KeyBundle(decoding: bytes)
        }
        #expect(read.names == ["default", "volume.2"])
        #expect(read.generatedKeyIDs == bundle.generatedKeyIDs)
        #expect(try read["default"]?.text.isEqual(to: storeKey("one").text) == true)
        #expect(read["other"] == nil)
    }

    @Test func `cut off anywhere, or with a byte too many, are refused`() throws {
        var bundle = KeyBundle()
        try bundle.add(storeKey("secret"), named: "default")
        let whole = bundle.encoded().withUnsafeBytes { [UInt8]($0) }
        for count in 0..<whole.count {
            #expect(throws: KeyFormatError.self) { try decode(Array(whole[..<count])) }
        }
        #expect(throws: KeyFormatError.malformedBundle) { try decode(whole + [0]) }
        #expect(try decode(whole).names == ["default"])
    }

    @Test func `refuse a name twice, and names that are none`() throws {
        var bundle = KeyBundle()
        try bundle.add(storeKey("one"), named: "a")
        #expect(throws: KeyFormatError.duplicateName("a")) {
            try bundle.add(storeKey("two"), named: "a")
        }
        for name in ["", "a b", "ä", "a/b", String(repeating: "x", count: 129)] {
            #expect(throws: KeyFormatError.invalidName) {
                try bundle.add(storeKey("two"), named: name)
            }
        }
    }

    private func decode(_ bytes: [UInt8]) throws -> KeyBundle {
        try bytes.withUnsafeBytes { try KeyBundle(decoding: $0) }
    }
}

func storeKey(_ text: String) throws(KeyFormatError) -> StoreKey {
    try StoreKey(SecretBytes(copying: text.utf8))
}
