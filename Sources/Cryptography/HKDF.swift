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
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    ///
    /// C: `EVP_KDF_derive` with `HKDF`.
    public static func deriveKey(
        from secret: SecretBytes, salt: [UInt8] = [], info: [UInt8], count: Int
    ) throws(CryptographyError) -> SecretBytes {
        let algorithm = try openSSL("EVP_KDF_fetch") { EVP_KDF_fetch(nil, "HKDF", nil) }
        defer { EVP_KDF_free(algorithm) }
        let context = try openSSL("EVP_KDF_CTX_new") { EVP_KDF_CTX_new(algorithm) }
        defer { EVP_KDF_CTX_free(context) }
        let parameters = try openSSL("OSSL_PARAM_BLD_new") { OSSL_PARAM_BLD_new() }
        defer { OSSL_PARAM_BLD_free(parameters) }
        return try SecretBytes(count: count) { output throws(CryptographyError) in
            try secret.withUnsafeBytes { key throws(CryptographyError) in
                try openSSL("EVP_KDF_derive") {
                    guard
                        OSSL_PARAM_BLD_push_utf8_string(
                            parameters, OSSL_KDF_PARAM_DIGEST, "SHA256", 0) == 1,
                        OSSL_PARAM_BLD_push_octet_string(
                            parameters, OSSL_KDF_PARAM_KEY, key.baseAddress, key.count) == 1,
                        pushUnlessEmpty(salt, OSSL_KDF_PARAM_SALT, to: parameters),
                        pushUnlessEmpty(info, OSSL_KDF_PARAM_INFO, to: parameters),
                        let list = OSSL_PARAM_BLD_to_param(parameters)
                    else { return 0 }
                    defer { OSSL_PARAM_free(list) }
                    return EVP_KDF_derive(context, output.baseAddress, output.count, list)
                }
            }
        }
    }
}

/// An empty octet string is not the same as none to OpenSSL 3.0, which refuses some.
private func pushUnlessEmpty(
    _ bytes: [UInt8], _ name: String, to parameters: OpaquePointer
) -> Bool {
    bytes.isEmpty
        || OSSL_PARAM_BLD_push_octet_string(parameters, name, bytes, bytes.count) == 1
}
