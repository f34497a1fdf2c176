internal import COpenSSL
internal import CSodium

/// The boxes of ``SecretBox`` for long messages, put together from libsodium's XSalsa20 and OpenSSL's
/// Poly1305.
///
/// libsodium's Poly1305 knows SSE2 at most; OpenSSL's takes the processor's widest instructions, and
/// a third of the time of a box goes with it. The same bytes either way.
///
/// XSalsa20 is Salsa20 under HSalsa20(key, nonce[0..<16]) with nonce[16..<24]. The first 32 bytes of
/// its stream are Poly1305's key, the message is encrypted under the rest.
///
/// C: `crypto_core_hsalsa20`, `crypto_stream_salsa20_xor_ic`, `EVP_MAC_init`, `EVP_MAC_final`.
enum LongSecretBox {
    /// Below this the setting up costs more than it brings.
    static let leastCount = 4096

    private static let streamBlockCount = 64
    private static let macKeyCount = 32

    /// Encrypts and authenticates; see ``SecretBox/seal(_:key:nonce:into:)``.
    ///
    /// - Parameters:
    ///   - plaintext: At least ``leastCount`` bytes, elsewhere than `sealed`.
    ///   - key: 32 bytes.
    ///   - nonce: 24 bytes.
    ///   - sealed: Receives tag ‖ ciphertext.
    /// - Returns: False where OpenSSL has no memory: then `sealed` is not complete.
    static func seal(
        _ plaintext: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let ciphertext = UnsafeMutableRawBufferPointer(
            rebasing: sealed[SecretBox.tagCount...]
        )
        return withStream(key, nonce) { stream, subkey in
            encrypt(plaintext, stream, subkey, nonce, into: ciphertext)
            return authenticate(UnsafeRawBufferPointer(ciphertext), stream, into: sealed)
        }
    }

    /// Checks and decrypts; see ``SecretBox/open(_:key:nonce:into:)``.
    ///
    /// - Returns: Whether the tag is right; nil where OpenSSL has no memory. Nothing is written
    ///   unless it is.
    static func open(
        _ sealed: UnsafeRawBufferPointer,
        key: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) -> Bool? {
        let ciphertext = UnsafeRawBufferPointer(rebasing: sealed[SecretBox.tagCount...])
        return withStream(key, nonce) { stream, subkey in
            withUnsafeTemporaryAllocation(
                byteCount: SecretBox.tagCount,
                alignment: 16
            ) { tag in
                guard authenticate(ciphertext, stream, into: tag) else { return nil }
                // In constant time.
                let isRight = sodium_memcmp(tag.baseAddress, sealed.baseAddress, tag.count) == 0
                if isRight { encrypt(ciphertext, stream, subkey, nonce, into: plaintext) }
                return isRight
            }
        }
    }

    /// Runs `body` with the stream's first block and Salsa20's key, and wipes both.
    private static func withStream<Result>(
        _ key: UnsafeRawBufferPointer,
        _ nonce: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(
            byteCount: streamBlockCount + SecretBox.keyCount,
            alignment: 16
        ) { room in
            defer { Wipe.zero(room) }
            let stream = UnsafeMutableRawBufferPointer(rebasing: room[..<streamBlockCount])
            let subkey = UnsafeMutableRawBufferPointer(rebasing: room[streamBlockCount...])
            _ = crypto_core_hsalsa20(subkey.bytes, nonce.bytes, key.bytes, nil)
            _ = crypto_stream_salsa20(
                stream.bytes,
                UInt64(stream.count),
                nonce.bytes + 16,
                subkey.bytes
            )
            return body(UnsafeRawBufferPointer(stream), UnsafeRawBufferPointer(subkey))
        }
    }

    /// Encrypts or decrypts, which is the same.
    private static func encrypt(
        _ input: UnsafeRawBufferPointer,
        _ stream: UnsafeRawBufferPointer,
        _ subkey: UnsafeRawBufferPointer,
        _ nonce: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) {
        let first = streamBlockCount - macKeyCount
        for index in 0..<first { output[index] = input[index] ^ stream[macKeyCount + index] }
        _ = crypto_stream_salsa20_xor_ic(
            output.bytes + first,
            input.bytes + first,
            UInt64(input.count - first),
            nonce.bytes + 16,
            1,
            subkey.bytes
        )
    }

    /// Fetched once: fetching takes longer than a box.
    ///
    /// Never freed, and only read after it was made.
    private nonisolated(unsafe) static let poly1305 = try? openSSL("EVP_MAC_fetch") {
        EVP_MAC_fetch(nil, "POLY1305", nil)
    }

    /// Writes the tag of a ciphertext.
    private static func authenticate(
        _ ciphertext: UnsafeRawBufferPointer,
        _ stream: UnsafeRawBufferPointer,
        into tag: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let poly1305, let context = EVP_MAC_CTX_new(poly1305) else { return false }
        defer { EVP_MAC_CTX_free(context) }
        var count = 0
        return EVP_MAC_init(context, stream.bytes, macKeyCount, nil) == 1
            && EVP_MAC_update(context, ciphertext.bytes, ciphertext.count) == 1
            && EVP_MAC_final(context, tag.bytes, &count, SecretBox.tagCount) == 1
    }
}
