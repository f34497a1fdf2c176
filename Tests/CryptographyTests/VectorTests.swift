import Cryptography
import TestSupport
import Testing

/// Every published vector, and that a changed one is refused.
@Suite struct `Published vectors` {
    @Test func `of AES-256-GCM`() throws {
        for vector in try Vectors.read("aes-256-gcm.txt") {
            let key = SecretBytes(copying: vector["key"])
            let cipher = try AESGCM(key: key, nonceCount: vector["nonce"].count)
            try check(vector) { input, nonce, data, output in
                try cipher.seal(input, nonce: nonce, associatedData: data, into: output)
            } open: { input, nonce, data, output in
                try cipher.open(input, nonce: nonce, associatedData: data, into: output)
            }
        }
    }

    /// Holds a cipher with associated data against a vector, and changes of that.
    private func check(
        _ vector: Vectors.Vector,
        seal: AssociatedOperation,
        open: AssociatedOperation
    ) throws {
        func apply(
            _ operation: AssociatedOperation,
            _ input: [UInt8],
            _ data: [UInt8],
            to count: Int
        ) throws -> [UInt8] {
            try transformed(input, to: count) { input, output in
                try vector["nonce"].withUnsafeBytes { nonce in
                    try data.withUnsafeBytes { try operation(input, nonce, $0, output) }
                }
            }
        }
        let (plaintext, data) = (vector["plaintext"], vector["associated data"])
        let sealed = vector["ciphertext"] + vector["tag"]
        let ours = try apply(seal, plaintext, data, to: sealed.count)
        #expect(ours == sealed, "\(vector)")
        let opened = try apply(open, sealed, data, to: plaintext.count)
        #expect(opened == plaintext, "\(vector)")
        for (bad, data) in flipped(sealed).map({ ($0, data) }) + [(sealed, data + [0])] {
            #expect(throws: CryptographyError.authenticationFailed) {
                try apply(open, bad, data, to: plaintext.count)
            }
        }
    }

    /// Input, nonce, associated data, output.
    private typealias AssociatedOperation = (
        UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer,
        UnsafeMutableRawBufferPointer
    ) throws -> Void

    @Test func `of AES-256-GCM, as whole messages`() throws {
        // Opened by the processor's instructions where it has them, which the test above is not.
        let vectors = try Vectors.read("aes-256-gcm.txt").filter {
            $0["nonce"].count == 12 && $0["associated data"].isEmpty
        }
        #expect(vectors.count >= 3)
        for vector in vectors {
            let message = vector["nonce"] + vector["ciphertext"] + vector["tag"]
            let key = SecretBytes(copying: vector["key"])
            let opened = try message.withUnsafeBytes { try AESGCM.openMessage($0, key: key) }
            #expect(opened.isEqual(to: SecretBytes(copying: vector["plaintext"])), "\(vector)")
            for bad in flipped(message) + [Array(message.dropLast())] {
                #expect(throws: CryptographyError.authenticationFailed) {
                    try bad.withUnsafeBytes { try AESGCM.openMessage($0, key: key) }
                }
            }
        }
    }

    @Test func `of XChaCha20-Poly1305`() throws {
        for vector in try Vectors.read("xchacha20-poly1305.txt") {
            let key = SecretBytes(copying: vector["key"])
            try check(vector) { input, nonce, data, output in
                XChaCha20Poly1305.seal(
                    input,
                    key: key,
                    nonce: nonce,
                    associatedData: data,
                    into: output
                )
            } open: { input, nonce, data, output in
                try XChaCha20Poly1305.open(
                    input,
                    key: key,
                    nonce: nonce,
                    associatedData: data,
                    into: output
                )
            }
        }
    }

    @Test func `of the secret box`() throws {
        for vector in try Vectors.read("secretbox.txt") {
            let sealed = vector["tag"] + vector["ciphertext"]
            let key = SecretBytes(copying: vector["key"])
            #expect(
                transformed(vector["plaintext"], to: sealed.count) { input, output in
                    vector["nonce"].withUnsafeBytes {
                        SecretBox.seal(input, key: key, nonce: $0, into: output)
                    }
                } == sealed,
                "\(vector)"
            )
            func open(_ sealed: [UInt8]) throws -> [UInt8] {
                try transformed(sealed, to: vector["plaintext"].count) { input, output in
                    try vector["nonce"].withUnsafeBytes {
                        try SecretBox.open(input, key: key, nonce: $0, into: output)
                    }
                }
            }
            #expect(try open(sealed) == vector["plaintext"])
            for bad in flipped(sealed) {
                #expect(throws: CryptographyError.authenticationFailed) { try open(bad) }
            }
        }
    }

    @Test func `of AES-256 in counter mode`() throws {
        for vector in try Vectors.read("aes-256-ctr.txt") {
            for (input, output) in [("plaintext", "ciphertext"), ("ciphertext", "plaintext")] {
                #expect(
                    try transformed(vector[input], to: vector[output].count) { input, output in
                        try vector["counter"].withUnsafeBytes { counter in
                            try AESCTR.apply(
                                to: input,
                                key: SecretBytes(copying: vector["key"]),
                                counter: counter,
                                into: output
                            )
                        }
                    } == vector[output],
                    "\(vector)"
                )
            }
        }
    }

    @Test func `of EME`() throws {
        for vector in try Vectors.read("eme-aes-256.txt") {
            let cipher = try EME(key: SecretBytes(copying: vector["key"]))
            var message = vector["plaintext"]
            try cipher.encrypt(&message, tweak: vector["tweak"])
            #expect(message == vector["ciphertext"], "\(vector)")
            try cipher.decrypt(&message, tweak: vector["tweak"])
            #expect(message == vector["plaintext"], "\(vector)")
        }
    }

    @Test func `of HKDF`() throws {
        for vector in try Vectors.read("hkdf-sha256.txt") {
            let key = try HKDF.deriveKey(
                from: SecretBytes(copying: vector["secret"]),
                salt: vector["salt"],
                info: vector["info"],
                count: vector["key"].count
            )
            #expect(key.isEqual(to: SecretBytes(copying: vector["key"])), "\(vector)")
        }
    }

    @Test func `of HKDF agree with each other at every length`() throws {
        let secret = SecretBytes(copying: [1, 2, 3])
        let longest = try HKDF.deriveKey(from: secret, info: [4], count: HKDF.maximumCount)
        for count in [1, 31, 32, 33, HKDF.maximumCount - 1] {
            let key = try HKDF.deriveKey(from: secret, info: [4], count: count)
            #expect(key.isEqual(to: longest.slice(0..<count)))
        }
        for count in [0, HKDF.maximumCount + 1] {
            #expect(throws: CryptographyError.self) {
                try HKDF.deriveKey(from: secret, info: [4], count: count)
            }
        }
    }

    @Test func `of scrypt`() throws {
        for vector in try Vectors.read("scrypt.txt") {
            let cost = Scrypt.Cost(
                n: try #require(UInt64(vector.text("n"))),
                r: try #require(UInt32(vector.text("r"))),
                p: try #require(UInt32(vector.text("p")))
            )
            let password = SecretBytes(copying: vector["password"])
            let expected = SecretBytes(copying: vector["key"])
            #expect(
                try Scrypt.deriveKey(
                    from: password,
                    salt: vector["salt"],
                    cost: cost,
                    count: expected.count
                ).isEqual(to: expected),
                "\(vector)"
            )
            #expect(
                try Scrypt.deriveKey(
                    from: password,
                    salt: SecretBytes(copying: vector["salt"]),
                    cost: cost,
                    count: expected.count
                ).isEqual(to: expected),
                "\(vector)"
            )
        }
    }

    /// Each bit of the first, a middle and the last byte.
    private func flipped(_ bytes: [UInt8]) -> [[UInt8]] {
        [0, bytes.count / 2, bytes.count - 1].flatMap { index in
            (0..<8).map { bit in
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                return changed
            }
        }
    }
}

/// What an operation from one buffer into another leaves there.
func transformed<Failure: Error>(
    _ input: [UInt8],
    to count: Int,
    _ operation: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws(Failure) -> Void
) throws(Failure) -> [UInt8] {
    let source = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count, alignment: 1)
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer {
        source.deallocate()
        target.deallocate()
    }
    source.copyBytes(from: input)
    try operation(UnsafeRawBufferPointer(source), target)
    return Array(target)
}
