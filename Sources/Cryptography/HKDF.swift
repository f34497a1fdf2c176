internal import COpenSSL

/// HKDF with SHA-256, RFC 5869.
public enum HKDF {
    /// Derives a key: extract with `salt`, then expand with `info`.
    ///
    /// - Parameters:
    ///   - secret: Input key material.
    ///   - salt: May be empty.
    ///   - info: Names the purpose; may be empty.
    ///   - count: 1...8160 bytes.
    /// - Returns: The derived key, `count` bytes.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    ///
    /// C: `EVP_PKEY_derive` with `EVP_PKEY_HKDF`.
    public static func deriveKey(
        from secret: SecretBytes,
        salt: [UInt8] = [],
        info: [UInt8],
        count: Int
    ) throws(CryptographyError) -> SecretBytes {
        let context = try openSSL("EVP_PKEY_CTX_new_id") {
            EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil)
        }
        defer { EVP_PKEY_CTX_free(context) }
        try openSSL("EVP_PKEY_derive_init") { EVP_PKEY_derive_init(context) }
        return try SecretBytes(count: count) { output throws(CryptographyError) in
            try secret.withUnsafeBytes { key throws(CryptographyError) in
                try openSSL("EVP_PKEY_derive") {
                    var written = output.count
                    guard EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) == 1,
                        EVP_PKEY_CTX_set1_hkdf_salt(context, salt, Int32(salt.count)) == 1,
                        EVP_PKEY_CTX_set1_hkdf_key(context, key.bytes, Int32(key.count)) == 1,
                        EVP_PKEY_CTX_add1_hkdf_info(context, info, Int32(info.count)) == 1
                    else { return 0 }
                    return EVP_PKEY_derive(context, output.bytes, &written)
                }
            }
        }
    }
}
