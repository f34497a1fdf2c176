internal import COpenSSL

/// AES-SIV with a key of 512 bits, RFC 5297: the tag before the ciphertext.
///
/// A nonce that is used twice shows only whether the same message was sealed twice under it.
///
/// C: `EVP_CIPHER_fetch` of `AES-256-SIV`.
public struct AESSIV: ~Copyable {
    /// Key length in bytes: half for authentication, half for encryption.
    public static let keyCount = 64

    /// Tag length in bytes.
    public static let tagCount = 16

    private let cipher: OpaquePointer
    private let context: OpaquePointer
    private let key: SecretBytes

    /// Looks the algorithm up.
    ///
    /// - Parameter key: 64 bytes.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    public init(key: SecretBytes) throws(CryptographyError) {
        precondition(key.count == Self.keyCount)
        let cipher = try openSSL("EVP_CIPHER_fetch") { EVP_CIPHER_fetch(nil, "AES-256-SIV", nil) }
        do throws(CryptographyError) {
            context = try openSSL("EVP_CIPHER_CTX_new") { EVP_CIPHER_CTX_new() }
        } catch {
            EVP_CIPHER_free(cipher)
            throw error
        }
        self.cipher = cipher
        self.key = key
    }

    deinit {
        // Clears the key schedule as well.
        EVP_CIPHER_CTX_free(context)
        EVP_CIPHER_free(cipher)
    }

    /// Encrypts and authenticates.
    ///
    /// - Parameters:
    ///   - plaintext: 1 byte up to 2 GiB; not the memory of `sealed`.
    ///   - nonce: Any length; the last component of what is authenticated.
    ///   - associatedData: The component before it.
    ///   - sealed: Receives tag (16) ‖ ciphertext (`plaintext.count`); exactly that long.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer,
        into sealed: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        precondition(!plaintext.isEmpty && sealed.count == plaintext.count + Self.tagCount)
        try openSSL("EVP_EncryptUpdate") {
            var written: Int32 = 0
            // With the key each time: a context carries what it has authenticated to the next
            // message otherwise.
            let isReady = key.withUnsafeBytes {
                EVP_EncryptInit_ex2(context, cipher, $0.bytes, nil, nil)
            }
            guard isReady == 1,
                EVP_EncryptUpdate(
                    context,
                    nil,
                    &written,
                    associatedData.bytes,
                    Int32(associatedData.count)
                ) == 1,
                EVP_EncryptUpdate(context, nil, &written, nonce.bytes, Int32(nonce.count)) == 1,
                EVP_EncryptUpdate(
                    context,
                    sealed.bytes + Self.tagCount,
                    &written,
                    plaintext.bytes,
                    Int32(plaintext.count)
                ) == 1
            else { return 0 }
            return EVP_CIPHER_CTX_ctrl(
                context,
                EVP_CTRL_AEAD_GET_TAG,
                Int32(Self.tagCount),
                sealed.baseAddress
            )
        }
    }

    /// Checks and decrypts; zeroes `plaintext` unless the tag is right.
    ///
    /// - Parameters:
    ///   - sealed: tag (16) ‖ ciphertext; not the memory of `plaintext`.
    ///   - nonce: What was given to ``seal(_:nonce:associatedData:into:)``.
    ///   - associatedData: Likewise.
    ///   - plaintext: Receives the message; exactly `sealed.count` − 16 bytes.
    /// - Throws: ``CryptographyError/authenticationFailed``, also when `sealed` has a tag and
    ///   nothing more, or less; ``CryptographyError/library(function:reason:)``.
    public func open(
        _ sealed: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer,
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        guard sealed.count > Self.tagCount else { throw .authenticationFailed }
        precondition(plaintext.count == sealed.count - Self.tagCount)
        var written: Int32 = 0
        try openSSL("EVP_DecryptInit_ex2") {
            let isReady = key.withUnsafeBytes {
                EVP_DecryptInit_ex2(context, cipher, $0.bytes, nil, nil)
            }
            guard isReady == 1,
                // The call only reads the tag; C does not say so.
                EVP_CIPHER_CTX_ctrl(
                    context,
                    EVP_CTRL_AEAD_SET_TAG,
                    Int32(Self.tagCount),
                    UnsafeMutableRawPointer(mutating: sealed.baseAddress)
                ) == 1,
                EVP_DecryptUpdate(
                    context,
                    nil,
                    &written,
                    associatedData.bytes,
                    Int32(associatedData.count)
                ) == 1
            else { return 0 }
            return EVP_DecryptUpdate(context, nil, &written, nonce.bytes, Int32(nonce.count))
        }
        // The one failure here is the tag's; it queues no error.
        let isAuthentic =
            EVP_DecryptUpdate(
                context,
                plaintext.bytes,
                &written,
                sealed.bytes + Self.tagCount,
                Int32(plaintext.count)
            ) == 1
        guard isAuthentic else {
            Wipe.zero(plaintext)
            throw .authenticationFailed
        }
    }
}
