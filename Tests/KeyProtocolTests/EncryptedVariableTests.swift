import Cryptography
import KeyProtocol
import Testing

@Suite struct `Encrypted variables` {
    static let original =
        "b2c8955bad9bc7520e09f42e7a24b34860745b6fad240368dcc201d2d175938f55b5a404265c09f848c758aeb4248b7b32d63d1baad66a"
    static let password = "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"
    /// Made with HKDF of Python's `hmac` and libsodium called from Python.
    static let key = "ssk1_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8kSZ-ig"
    static let new =
        "v2.38a1e4a8.ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7hAFtVe-Chyae_EXxSFFbDopghw-EbJAhywT-XXo0O-k0kVM"

    @Test func `the original program's value decrypts`() throws {
        let plaintext = try decrypt(Self.original, name: "TESTVAR", keys: bundle(Self.password))
        #expect(plaintext == "this-is-my-new-test-api-key")
    }

    @Test func `the form of today decrypts`() throws {
        let plaintext = try decrypt(Self.new, name: "API_KEY", keys: bundle(Self.key))
        #expect(plaintext == "s3cret=va\nlue ünï")
    }

    @Test(arguments: ["", "x", "a=b\nc", String(repeating: "é", count: 70_000)])
    func `both forms give back what was put in`(plaintext: String) throws {
        for (key, form) in [
            (Self.password, EncryptedVariable.Form.automatic), (Self.key, .automatic),
            (Self.key, .original),
        ] {
            let value = try encrypt(plaintext, name: "N", key: storeKey(key), form: form)
            #expect(try decrypt(value, name: "N", keys: bundle(key)) == plaintext)
            #expect(value.hasPrefix("v2.") == (key == Self.key && form == .automatic))
        }
    }

    @Test(arguments: [
        ("", VariableError.empty), ("0", .notHexadecimal), ("zz", .notHexadecimal),
        ("00 11", .notHexadecimal), ("00112", .notHexadecimal), ("0011", .tooShort(found: 2)),
        (String(repeating: "0", count: 54), .tooShort(found: 27)),
        (String(repeating: "0", count: 56), .authenticationFailed),
        (String(original.dropLast(2)), .authenticationFailed),
        (String(original.dropLast()), .notHexadecimal), ("v2.", .malformed),
        ("v2.38a1e4a8", .malformed), ("v2.38A1E4A8.AAAA", .malformed),
        ("v2.38a1e4a8.AAAA.AAAA", .malformed), ("v2.38a1e4a8.A", .malformed),
        ("v2.38a1e4a8.AA+A", .malformed), ("v2.38a1e4a8.AAAA", .tooShort(found: 3)),
        (String(new.dropLast(4)), .authenticationFailed),
        (new.replacing("38a1e4a8", with: "00000000"), .unknownKey(wanted: "00000000", arrived: [])),
    ])
    func `a bad value says what is wrong with it`(value: String, expected: VariableError) throws {
        var keys = try bundle(Self.password)
        if value.contains("38a1e4a8") { try keys.add(storeKey(Self.key), named: "other") }
        #expect(throws: expected) { try decrypt(value, name: "API_KEY", keys: keys) }
    }

    @Test func `no flipped bit goes unnoticed`() throws {
        for (value, key) in [(Self.original, Self.password), (Self.new, Self.key)] {
            let keys = try bundle(key)
            for index in value.utf8.indices {
                for bit in 0..<7 {
                    var bytes = Array(value.utf8)
                    bytes[value.utf8.distance(from: value.startIndex, to: index)] ^= 1 << bit
                    let flipped = String(decoding: bytes, as: UTF8.self)
                    // A hexadecimal digit in the other case is the same digit.
                    if flipped.lowercased() == value, key == Self.password { continue }
                    #expect(throws: VariableError.self) {
                        try decrypt(flipped, name: "API_KEY", keys: keys)
                    }
                }
            }
        }
    }

    @Test func `a new-form value copied to another variable does not decrypt`() throws {
        #expect(throws: VariableError.authenticationFailed) {
            try decrypt(Self.new, name: "API_KEZ", keys: bundle(Self.key))
        }
    }

    @Test func `the message names the key wanted and the keys that arrived`() throws {
        let error = VariableError.unknownKey(wanted: "00000000", arrived: ["38a1e4a8", "11111111"])
        #expect(
            "\(error)"
                == "it was encrypted with key 00000000, but what arrived is 38a1e4a8, 11111111"
        )
    }

    @Test func `NUL is refused on the way in and on the way out`() throws {
        let key = try storeKey(Self.password)
        #expect(throws: VariableError.holdsNUL) { try encrypt("a\0b", name: "N", key: key) }
        let sealed = try AESGCM.sealMessage(
            SecretBytes(copying: [97, 0]),
            key: SHA256.digest(of: key.text)
        )
        let value = sealed.withUnsafeBytes { Hexadecimal.encode($0) }
        #expect(throws: VariableError.holdsNUL) {
            try decrypt(value, name: "N", keys: bundle(Self.password))
        }
    }

    @Test(arguments: ["", "A=B", "A\0"])
    func `a name that no variable can have is refused`(name: String) throws {
        #expect(throws: VariableError.invalidName) {
            try decrypt(Self.original, name: name, keys: bundle(Self.password))
        }
    }

    @Test func `the new form does not take a password`() throws {
        #expect(throws: VariableError.passwordForNewForm) {
            try encrypt("x", name: "N", key: storeKey(Self.password), form: .v2)
        }
    }

    private func bundle(_ key: String) throws -> KeyBundle {
        var bundle = KeyBundle()
        try bundle.add(storeKey(key), named: KeyBundle.defaultName)
        return bundle
    }

    private func decrypt(_ value: String, name: String, keys: KeyBundle) throws -> String {
        try Array(value.utf8).withUnsafeBytes { bytes in
            try EncryptedVariable.decrypt(bytes, name: name, keys: keys)
        }.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func encrypt(
        _ plaintext: String,
        name: String,
        key: StoreKey,
        form: EncryptedVariable.Form = .automatic
    ) throws -> String {
        try EncryptedVariable.encrypt(
            SecretBytes(copying: plaintext.utf8),
            name: name,
            key: key,
            form: form
        )
    }
}
