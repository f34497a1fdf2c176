internal import CSodium

/// NaCl's secret box: XSalsa20 and Poly1305, the tag before the ciphertext.
///
/// C: `crypto_secretbox_easy`, `crypto_secretbox_open_easy`; of long messages ``LongSecretBox``.
public enum SecretBox {
    /// Key length in bytes.
    public static let keyCount = 32

    /// Nonce length in bytes.
    public static let nonceCount = 24

    /// Tag length in bytes: what a sealed message is longer than its plaintext.
    public static let tagCount = 16

    /// Encrypts and authenticates.
    ///
    /// - Parameters:
    ///   - plaintext: Any length; may overlap `sealed`.
    ///   - key: 32 bytes.
    ///   - nonce: 24 bytes, never used twice with one key.
    ///   - sealed: Receives tag (16) ‖ ciphertext (`plaintext.count`); exactly that long.
    public static func seal(
        _ plaintext: UnsafeRawBufferPointer,
        key: SecretBytes,
        nonce: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) {
        precondition(key.count == keyCount && nonce.count == nonceCount)
        precondition(sealed.count == plaintext.count + tagCount)
        key.withUnsafeBytes { key in
            if isLong(plaintext, UnsafeRawBufferPointer(sealed)),
                LongSecretBox.seal(plaintext, key: key, nonce: nonce, into: sealed)
            {
                return
            }
            _ = crypto_secretbox_easy(
                sealed.bytes,
                plaintext.bytes,
                UInt64(plaintext.count),
                nonce.bytes,
                key.bytes
            )
        }
    }

    /// Checks and decrypts; writes nothing unless the tag is right.
    ///
    /// - Parameters:
    ///   - sealed: tag (16) ‖ ciphertext; may overlap `plaintext`.
    ///   - key: 32 bytes.
    ///   - nonce: 24 bytes.
    ///   - plaintext: Receives the message; exactly `sealed.count` − 16 bytes.
    /// - Throws: ``CryptographyError/authenticationFailed``, also when `sealed` is shorter than a
    ///   tag.
    public static func open(
        _ sealed: UnsafeRawBufferPointer,
        key: SecretBytes,
        nonce: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        precondition(key.count == keyCount && nonce.count == nonceCount)
        guard sealed.count >= tagCount else { throw .authenticationFailed }
        precondition(plaintext.count == sealed.count - tagCount)
        let result: Int32 = key.withUnsafeBytes { key in
            if isLong(UnsafeRawBufferPointer(plaintext), sealed),
                let isOpen = LongSecretBox.open(sealed, key: key, nonce: nonce, into: plaintext)
            {
                return isOpen ? 0 : -1
            }
            return crypto_secretbox_open_easy(
                plaintext.bytes,
                sealed.bytes,
                UInt64(sealed.count),
                nonce.bytes,
                key.bytes
            )
        }
        guard result == 0 else { throw .authenticationFailed }
    }

    /// Whether ``LongSecretBox`` takes a message: long, and in two places.
    private static func isLong(
        _ message: UnsafeRawBufferPointer,
        _ box: UnsafeRawBufferPointer
    ) -> Bool {
        guard message.count >= LongSecretBox.leastCount, let message = message.baseAddress,
            let start = box.baseAddress
        else { return false }
        return message + (box.count - tagCount) <= start || start + box.count <= message
    }
}
