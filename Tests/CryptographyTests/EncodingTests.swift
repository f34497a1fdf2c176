import Cryptography
import Testing

@Suite struct `Encodings` {
    /// RFC 4648, section 10, and what tells the two alphabets apart.
    @Test(
        arguments: [
            ("", "", ""), ("f", "Zg==", "Zg"), ("fo", "Zm8=", "Zm8"), ("foo", "Zm9v", "Zm9v"),
            ("foob", "Zm9vYg==", "Zm9vYg"), ("fooba", "Zm9vYmE=", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy", "Zm9vYmFy"), ("~~~???", "fn5+Pz8/", "fn5-Pz8_"),
        ])
    func `base64 goes both ways`(text: String, standard: String, url: String) throws {
        for (encoded, variant) in [(standard, Base64.Variant.standard), (url, .url)] {
            #expect(Array(text.utf8).withUnsafeBytes { Base64.encode($0, as: variant) } == encoded)
            let decoded = try Array(encoded.utf8).withUnsafeBytes {
                try Base64.decode($0, as: variant)
            }
            #expect(decoded == Array(text.utf8))
        }
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Zh==", "Z", "Zm9v=", "Zm9v!", "Zm9vY\0==", "=Zg=", "fn5-",
    ])
    func `base64 that is none is refused`(text: String) {
        #expect(throws: CryptographyError.invalidEncoding(encoding: "base64")) {
            try Array(text.utf8).withUnsafeBytes { try Base64.decode($0, as: .standard) }
        }
    }

    @Test(arguments: [Base64.Variant.standard, .url, .urlPadded])
    func `of all bytes only the alphabet's are base64`(variant: Base64.Variant) {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let alphabet = Set((letters + (variant == .standard ? "+/" : "-_")).utf8)
        for byte in UInt8.min...UInt8.max {
            let text: [UInt8] = [0x41, 0x41, byte, 0x41]
            var bytes = [UInt8](repeating: 0, count: 4)
            let strict = try? text.withUnsafeBytes { text in
                try bytes.withUnsafeMutableBytes {
                    try Base64.decode(text, as: variant, into: $0)
                }
            }
            #expect((strict != nil) == alphabet.contains(byte), "\(byte)")
            let loose = try? text.withUnsafeBytes { try Base64.decode($0, as: variant) }
            // White space leaves three characters: two bytes, unpadded.
            let isSpace = [0x09, 0x0a, 0x0d, 0x20].contains(byte) && variant == .url
            #expect((loose != nil) == (alphabet.contains(byte) || isSpace), "\(byte)")
        }
    }

    @Test func `base64 may be broken into lines`() throws {
        let decoded = try Array("Zm9v\r\nYm\tFy \n".utf8).withUnsafeBytes {
            try Base64.decode($0, as: .standard)
        }
        #expect(decoded == Array("foobar".utf8))
    }

    @Test func `base64 of secrets is a secret, of any length`() throws {
        for count in 0...100 {
            let secret = SecretBytes.random(count: count)
            let text = secret.withUnsafeBytes { Base64.encodeSecret($0, as: .url) }
            #expect(text.count == (count * 4 + 2) / 3)
            let decoded = try text.withUnsafeBytes { try Base64.decodeSecret($0, as: .url) }
            #expect(decoded.isEqual(to: secret))
        }
    }

    @Test func `hexadecimal goes both ways`() throws {
        let all = (UInt8(0)...255).map { $0 }
        let text = Hexadecimal.encode(all)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff") && text.count == 512)
        for spelling in [text, text.uppercased()] {
            let decoded = try Array(spelling.utf8).withUnsafeBytes { try Hexadecimal.decode($0) }
            #expect(decoded == all)
        }
    }

    @Test(arguments: ["0", "000", "0g", "g0", " 0", "0x", "0\n", "é"])
    func `hexadecimal that is none is refused`(text: String) {
        #expect(throws: CryptographyError.invalidEncoding(encoding: "hexadecimal")) {
            try Array(text.utf8).withUnsafeBytes { try Hexadecimal.decode($0) }
        }
    }

    /// FIPS 180-4's examples.
    @Test(
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func `SHA-256 is SHA-256`(text: String, digest: String) {
        let bytes = Array(text.utf8)
        #expect(bytes.withUnsafeBytes { Hexadecimal.encode(SHA256.digest(of: $0)) } == digest)
        let secret = SHA256.digest(of: SecretBytes(copying: bytes))
        #expect(secret.withUnsafeBytes { Hexadecimal.encode($0) } == digest)
    }
}
