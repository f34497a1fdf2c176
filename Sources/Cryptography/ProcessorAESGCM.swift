internal import CSodium

/// AES-256-GCM by the processor's own instructions and nothing else, for a single small message.
///
/// libsodium has it only for processors with AES instructions, and needs no setting up; OpenSSL, which
/// has it for every processor, takes a millisecond before the first message. The same bytes either
/// way.
///
/// C: `crypto_aead_aes256gcm_beforenm`, `crypto_aead_aes256gcm_decrypt_afternm`.
enum ProcessorAESGCM {
    /// Whether the library has it for this processor.
    static let isAvailable: Bool = {
        SecretBytes.libraryIsReady
        return crypto_aead_aes256gcm_is_available() == 1
    }()

    /// Checks and decrypts; leaves no plaintext behind unless the tag is right.
    ///
    /// - Parameters:
    ///   - sealed: ciphertext ‖ tag (16).
    ///   - key: 32 bytes.
    ///   - nonce: 12 bytes.
    ///   - plaintext: Receives the message; exactly `sealed.count` − 16 bytes.
    /// - Throws: ``CryptographyError/authenticationFailed``, also when `sealed` is shorter than a
    ///   tag.
    static func open(
        _ sealed: UnsafeRawBufferPointer,
        key: SecretBytes,
        nonce: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        precondition(key.count == AESGCM.keyCount && nonce.count == 12)
        guard sealed.count >= AESGCM.tagCount else { throw .authenticationFailed }
        precondition(plaintext.count == sealed.count - AESGCM.tagCount)
        var state = crypto_aead_aes256gcm_state()
        // It begins with the key itself.
        defer { withUnsafeMutableBytes(of: &state) { Wipe.zero($0) } }
        let result = key.withUnsafeBytes { key in
            _ = crypto_aead_aes256gcm_beforenm(&state, key.bytes)
            return crypto_aead_aes256gcm_decrypt_afternm(
                plaintext.bytes,
                nil,
                nil,
                sealed.bytes,
                UInt64(sealed.count),
                nil,
                0,
                nonce.bytes,
                &state
            )
        }
        guard result == 0 else { throw .authenticationFailed }
    }
}
