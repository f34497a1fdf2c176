internal import COpenSSL

/// AES-256-GCM, NIST SP 800-38D: the tag after the ciphertext.
///
/// Holds an expanded key, so that a message costs no key schedule. For one thread only, which the
/// compiler sees to: there is one context, every call changes it, and it cannot be copied or sent.
///
/// C: `EVP_aes_256_gcm`.
public struct AESGCM: ~Copyable {
    /// Key length in bytes.
    public static let keyCount = 32

    /// Tag length in bytes.
    public static let tagCount = 16

    private let context: OpaquePointer
    private let nonceCount: Int

    /// Expands a key.
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonceCount: 12 for GCM as usual, 16 for gocryptfs.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    public init(key: SecretBytes, nonceCount: Int = 12) throws(CryptographyError) {
        precondition(key.count == Self.keyCount)
        context = try expandedContext(key: key, nonceCount: nonceCount)
        self.nonceCount = nonceCount
    }

    deinit {
        // Clears the key schedule as well.
        EVP_CIPHER_CTX_free(context)
    }

    /// Encrypts and authenticates.
    ///
    /// - Parameters:
    ///   - plaintext: Any length up to 2 GiB; may be the same memory as `sealed`.
    ///   - nonce: As long as said at initialisation, never used twice with one key.
    ///   - associatedData: Authenticated, not stored.
    ///   - sealed: Receives ciphertext (`plaintext.count`) ‖ tag (16); exactly that long.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    public func seal(
        _ plaintext: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        into sealed: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        precondition(nonce.count == nonceCount)
        precondition(sealed.count == plaintext.count + Self.tagCount)
        let tag = sealed.baseAddress.map { $0 + plaintext.count }
        try openSSL("EVP_EncryptUpdate") {
            var written: Int32 = 0
            guard EVP_EncryptInit_ex(context, nil, nil, nil, nonce.bytes) == 1,
                associatedData.isEmpty
                    || EVP_EncryptUpdate(
                        context,
                        nil,
                        &written,
                        associatedData.bytes,
                        Int32(associatedData.count)
                    ) == 1,
                plaintext.isEmpty
                    || EVP_EncryptUpdate(
                        context,
                        sealed.bytes,
                        &written,
                        plaintext.bytes,
                        Int32(plaintext.count)
                    ) == 1,
                EVP_EncryptFinal_ex(context, tag?.assumingMemoryBound(to: UInt8.self), &written)
                    == 1
            else { return 0 }
            return EVP_CIPHER_CTX_ctrl(
                context,
                EVP_CTRL_AEAD_GET_TAG,
                Int32(Self.tagCount),
                tag
            )
        }
    }

    /// Checks and decrypts; zeroes `plaintext` unless the tag is right.
    ///
    /// - Parameters:
    ///   - sealed: ciphertext ‖ tag (16); may be the same memory as `plaintext`.
    ///   - nonce: As long as said at initialisation.
    ///   - associatedData: What was given to ``seal(_:nonce:associatedData:into:)``.
    ///   - plaintext: Receives the message; exactly `sealed.count` − 16 bytes.
    /// - Throws: ``CryptographyError/authenticationFailed``, also when `sealed` is shorter than a
    ///   tag; ``CryptographyError/library(function:reason:)``.
    public func open(
        _ sealed: UnsafeRawBufferPointer,
        nonce: UnsafeRawBufferPointer,
        associatedData: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        into plaintext: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        precondition(nonce.count == nonceCount)
        guard sealed.count >= Self.tagCount else { throw .authenticationFailed }
        let ciphertextCount = sealed.count - Self.tagCount
        precondition(plaintext.count == ciphertextCount)
        try openSSL("EVP_DecryptUpdate") {
            var written: Int32 = 0
            guard EVP_DecryptInit_ex(context, nil, nil, nil, nonce.bytes) == 1,
                associatedData.isEmpty
                    || EVP_DecryptUpdate(
                        context,
                        nil,
                        &written,
                        associatedData.bytes,
                        Int32(associatedData.count)
                    ) == 1,
                ciphertextCount == 0
                    || EVP_DecryptUpdate(
                        context,
                        plaintext.bytes,
                        &written,
                        sealed.bytes,
                        Int32(ciphertextCount)
                    ) == 1
            else { return 0 }
            // The call only reads the tag; C does not say so.
            let tag = UnsafeMutableRawPointer(mutating: sealed.baseAddress).map {
                $0 + ciphertextCount
            }
            return EVP_CIPHER_CTX_ctrl(
                context,
                EVP_CTRL_AEAD_SET_TAG,
                Int32(Self.tagCount),
                tag
            )
        }
        // The one failure here is the tag's; it queues no error.
        let isAuthentic = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { rest in
            var written: Int32 = 0
            return EVP_DecryptFinal_ex(context, rest.bytes, &written) == 1
        }
        guard isAuthentic else {
            Wipe.zero(plaintext)
            throw .authenticationFailed
        }
    }
}

private func expandedContext(
    key: SecretBytes,
    nonceCount: Int
) throws(CryptographyError) -> OpaquePointer {
    let context = try openSSL("EVP_CIPHER_CTX_new") { EVP_CIPHER_CTX_new() }
    do throws(CryptographyError) {
        try openSSL("EVP_EncryptInit_ex") {
            guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, nil, nil) == 1,
                EVP_CIPHER_CTX_ctrl(
                    context,
                    EVP_CTRL_AEAD_SET_IVLEN,
                    Int32(nonceCount),
                    nil
                ) == 1
            else { return 0 }
            return key.withUnsafeBytes { EVP_EncryptInit_ex(context, nil, nil, $0.bytes, nil) }
        }
    } catch {
        EVP_CIPHER_CTX_free(context)
        throw error
    }
    return context
}
