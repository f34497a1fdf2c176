internal import CSodium

/// XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03: the tag after the ciphertext.
///
/// C: `crypto_aead_xchacha20poly1305_ietf_encrypt`, `…_decrypt`.
public enum XChaCha20Poly1305 {
    /// Key length in bytes.
    public static let keyCount = 32

    /// Nonce length in bytes: long enough to be drawn at random.
    public static let nonceCount = 24

    /// Tag length in bytes.
    public static let tagCount = 16

    /// Encrypts and authenticates.
    ///
    /// - Parameters:
    ///   - plaintext: Any length; may be the same memory as `sealed`.
    ///   - key: 32 bytes.
    ///   - nonce: 24 bytes, never used twice with one key.
    ///   - associatedData: Authenticated, not stored.
    ///   - sealed: Receives ciphertext (`plaintext.count`) ‖ tag (16); exactly that long.
    public static func seal(
        _ plaintext: UnsafeRawBufferPointer,
        key: SecretBytes,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        into sealed: UnsafeMutableRawBufferPointer
    ) {
        precondition(key.count == keyCount && nonce.count == nonceCount)
        precondition(sealed.count == plaintext.count + tagCount)
        key.withUnsafeBytes { key in
            _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
                sealed.bytes,
                nil,
                plaintext.bytes,
                UInt64(plaintext.count),
                associatedData.bytes,
                UInt64(associatedData.count),
                nil,
                nonce.bytes,
                key.bytes
            )
        }
    }

    /// Checks and decrypts; leaves no plaintext behind unless the tag is right.
    ///
    /// - Parameters:
    ///   - sealed: ciphertext ‖ tag (16); may be the same memory as `plaintext`.
    ///   - key: 32 bytes.
    ///   - nonce: 24 bytes.
    ///   - associatedData: What was given to ``seal(_:key:nonce:associatedData:into:)``.
    ///   - plaintext: Receives the message; exactly `sealed.count` − 16 bytes.
    /// - Throws: ``CryptographyError/authenticationFailed``, also when `sealed` is shorter than a
    ///   tag.
    public static func open(
        _ sealed: UnsafeRawBufferPointer,
        key: SecretBytes,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        precondition(key.count == keyCount && nonce.count == nonceCount)
        guard sealed.count >= tagCount else { throw .authenticationFailed }
        precondition(plaintext.count == sealed.count - tagCount)
        let result = key.withUnsafeBytes { key in
            crypto_aead_xchacha20poly1305_ietf_decrypt(
                plaintext.bytes,
                nil,
                nil,
                sealed.bytes,
                UInt64(sealed.count),
                associatedData.bytes,
                UInt64(associatedData.count),
                nonce.bytes,
                key.bytes
            )
        }
        guard result == 0 else { throw .authenticationFailed }
    }
}
