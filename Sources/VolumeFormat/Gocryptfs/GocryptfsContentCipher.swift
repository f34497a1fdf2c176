internal import Cryptography

/// A volume's cipher with its key expanded: for one thread.
enum GocryptfsContentCipher: ~Copyable {
    case aesGCM(AESGCM)
    case xchacha20Poly1305(SecretBytes)
    case aesSIV(AESSIV)

    init(_ keys: GocryptfsKeys) throws(CryptographyError) {
        switch keys.cipher {
        case .aesGCM:
            self = .aesGCM(try AESGCM(key: keys.contentKey, nonceCount: keys.cipher.nonceCount))
        case .xchacha20Poly1305: self = .xchacha20Poly1305(keys.contentKey)
        case .aesSIV: self = .aesSIV(try AESSIV(key: keys.contentKey))
        }
    }

    /// Seals one message.
    ///
    /// - Parameters:
    ///   - plaintext: 1 byte or more.
    ///   - nonce: Random, as long as the cipher's.
    ///   - associatedData: Authenticated, not stored.
    ///   - sealed: Receives ciphertext and tag, in the cipher's order; 16 bytes longer.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    func seal(
        _ plaintext: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        switch self {
        case .aesGCM(let cipher):
            try cipher.seal(plaintext, nonce: nonce, associatedData: associatedData, into: sealed)
        case .xchacha20Poly1305(let key):
            XChaCha20Poly1305.seal(
                plaintext,
                key: key,
                nonce: nonce,
                associatedData: associatedData,
                into: sealed
            )
        case .aesSIV(let cipher):
            try cipher.seal(plaintext, nonce: nonce, associatedData: associatedData, into: sealed)
        }
    }

    /// Opens what ``seal(_:nonce:associatedData:into:)`` made.
    func open(
        _ sealed: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        switch self {
        case .aesGCM(let cipher):
            try cipher.open(sealed, nonce: nonce, associatedData: associatedData, into: plaintext)
        case .xchacha20Poly1305(let key):
            try XChaCha20Poly1305.open(
                sealed,
                key: key,
                nonce: nonce,
                associatedData: associatedData,
                into: plaintext
            )
        case .aesSIV(let cipher):
            try cipher.open(sealed, nonce: nonce, associatedData: associatedData, into: plaintext)
        }
    }
}
