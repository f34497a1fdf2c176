import Cryptography
import Testing

@Suite struct `Primitives` {
    @Test func `refuse messages that are shorter than a tag`() throws {
        let key = SecretBytes.random(count: 32)
        let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let gcm = try AESGCM(key: key)
        for count in 0..<16 {
            let message = [UInt8](repeating: 0, count: count)
            message.withUnsafeBytes { message in
                [UInt8](repeating: 0, count: 24).withUnsafeBytes { nonce in
                    #expect(throws: CryptographyError.authenticationFailed) {
                        try SecretBox.open(message, key: key, nonce: nonce, into: none)
                    }
                    #expect(throws: CryptographyError.authenticationFailed) {
                        try XChaCha20Poly1305.open(message, key: key, nonce: nonce, into: none)
                    }
                    #expect(throws: CryptographyError.authenticationFailed) {
                        try gcm.open(
                            message,
                            nonce: UnsafeRawBufferPointer(rebasing: nonce[..<12]),
                            into: none
                        )
                    }
                }
            }
        }
    }

    @Test func `leave no plaintext behind a wrong tag`() throws {
        let key = SecretBytes.random(count: 32)
        let nonce = [UInt8](repeating: 7, count: 12)
        let plaintext = [UInt8](repeating: 0x41, count: 100)
        let cipher = try AESGCM(key: key)
        var sealed = try transformed(plaintext, to: 116) { input, output in
            try nonce.withUnsafeBytes { try cipher.seal(input, nonce: $0, into: output) }
        }
        sealed[115] ^= 1
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 1)
        defer { target.deallocate() }
        target.initializeMemory(as: UInt8.self, repeating: 0x55)
        #expect(throws: CryptographyError.authenticationFailed) {
            try sealed.withUnsafeBytes { sealed in
                try nonce.withUnsafeBytes { try cipher.open(sealed, nonce: $0, into: target) }
            }
        }
        #expect(!target.contains(0x41))
    }

    @Test func `may work in place`() throws {
        let key = SecretBytes.random(count: 32)
        let nonce = [UInt8](repeating: 9, count: 24)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_016, alignment: 1)
        defer { room.deallocate() }
        let whole = UnsafeRawBufferPointer(room)
        let inner = UnsafeMutableRawBufferPointer(rebasing: room[..<1_000])
        for byte in inner.indices { inner[byte] = UInt8(truncatingIfNeeded: byte) }
        let before = Array(inner)
        try nonce.withUnsafeBytes { nonce in
            SecretBox.seal(UnsafeRawBufferPointer(inner), key: key, nonce: nonce, into: room)
            #expect(Array(inner) != before)
            try SecretBox.open(whole, key: key, nonce: nonce, into: inner)
        }
        #expect(Array(inner) == before)
    }

    @Test(arguments: [4_095, 4_096, 4_097, 4_160, 65_536])
    func `of long secret boxes are libsodium's, and refuse what was changed`(count: Int) throws {
        let key = SecretBytes.random(count: 32)
        let nonce = RandomBytes.make(count: 24)
        let message = RandomBytes.make(count: count)
        // In place, libsodium does all of it; elsewhere, it does not.
        var inPlace = message + [UInt8](repeating: 0, count: 16)
        var apart = [UInt8](repeating: 0, count: count + 16)
        nonce.withUnsafeBytes { nonce in
            inPlace.withUnsafeMutableBytes { room in
                let inner = UnsafeRawBufferPointer(rebasing: room[..<count])
                SecretBox.seal(inner, key: key, nonce: nonce, into: room)
            }
            message.withUnsafeBytes { message in
                apart.withUnsafeMutableBytes {
                    SecretBox.seal(message, key: key, nonce: nonce, into: $0)
                }
            }
        }
        #expect(apart == inPlace)

        func open(_ sealed: [UInt8]) throws -> [UInt8] {
            var opened = [UInt8](repeating: 0x2e, count: count)
            do {
                try nonce.withUnsafeBytes { nonce in
                    try sealed.withUnsafeBytes { sealed in
                        try opened.withUnsafeMutableBytes {
                            try SecretBox.open(sealed, key: key, nonce: nonce, into: $0)
                        }
                    }
                }
            } catch {
                #expect(opened.allSatisfy { $0 == 0x2e }, "nothing is written")
                throw error
            }
            return opened
        }
        #expect(try open(apart) == message)
        for place in [0, 15, 16, 16 + 31, 16 + 32, 16 + count / 2, 16 + count - 1] {
            var bad = apart
            bad[place] ^= 1
            #expect(throws: CryptographyError.authenticationFailed) { try open(bad) }
        }
    }

    @Test(arguments: [0, 15, 17, 2_047, 2_049, 2_064])
    func `of EME refuse lengths that are no blocks`(count: Int) throws {
        let cipher = try EME(key: SecretBytes.random(count: 32))
        var message = [UInt8](repeating: 0, count: count)
        let tweak = [UInt8](repeating: 0, count: 16)
        #expect(throws: CryptographyError.invalidLength(argument: "message", found: count)) {
            try cipher.encrypt(&message, tweak: tweak)
        }
        var block = [UInt8](repeating: 0, count: 16)
        #expect(throws: CryptographyError.invalidLength(argument: "tweak", found: 15)) {
            try cipher.decrypt(&block, tweak: Array(tweak.dropLast()))
        }
    }

    @Test func `of EME may be used from many threads`() async throws {
        let cipher = try EME(key: SecretBytes.random(count: 32))
        await withTaskGroup(of: Bool.self) { group in
            for seed in UInt8(0)..<16 {
                group.addTask {
                    (0..<200).allSatisfy { round in
                        let original = [UInt8](repeating: seed ^ UInt8(round), count: 48)
                        let tweak = [UInt8](repeating: seed, count: 16)
                        var message = original
                        guard (try? cipher.encrypt(&message, tweak: tweak)) != nil,
                            message != original,
                            (try? cipher.decrypt(&message, tweak: tweak)) != nil
                        else { return false }
                        return message == original
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test func `of scrypt refuse a cost beyond their memory`() {
        #expect(throws: CryptographyError.self) {
            try Scrypt.deriveKey(
                from: SecretBytes(copying: [1]),
                salt: [1],
                cost: Scrypt.Cost(n: 1 << 24, r: 8, p: 1),
                count: 32
            )
        }
    }
}
