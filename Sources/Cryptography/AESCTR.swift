internal import COpenSSL

/// AES-256 in counter mode, NIST SP 800-38A §6.5: a stream, not authenticated.
///
/// C: `EVP_aes_256_ctr`.
public enum AESCTR {
    /// Key length in bytes.
    public static let keyCount = 32

    /// Length of the initial counter block in bytes.
    public static let counterCount = 16

    /// Adds the key stream: encrypts and decrypts alike.
    ///
    /// - Parameters:
    ///   - input: Any length up to 2 GiB; may be the same memory as `output`.
    ///   - key: 32 bytes.
    ///   - counter: 16 bytes, big-endian, the first block's.
    ///   - output: Exactly as long as `input`.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    public static func apply(
        to input: UnsafeRawBufferPointer,
        key: SecretBytes,
        counter: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(CryptographyError) {
        precondition(key.count == keyCount && counter.count == counterCount)
        precondition(input.count == output.count)
        let context = try openSSL("EVP_CIPHER_CTX_new") { EVP_CIPHER_CTX_new() }
        defer { EVP_CIPHER_CTX_free(context) }
        try openSSL("EVP_EncryptUpdate") {
            var written: Int32 = 0
            let isReady = key.withUnsafeBytes { key in
                EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), nil, key.bytes, counter.bytes)
            }
            guard isReady == 1 else { return 0 }
            return EVP_EncryptUpdate(
                context,
                output.bytes,
                &written,
                input.bytes,
                Int32(input.count)
            )
        }
    }
}
