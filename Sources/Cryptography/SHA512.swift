internal import CSodium

/// SHA-512, FIPS 180-4.
///
/// C: `crypto_hash_sha512`.
public enum SHA512 {
    /// Digest length in bytes.
    public static let count = 64

    /// The digest of a secret, itself a secret.
    public static func digest(of secret: SecretBytes) -> SecretBytes {
        SecretBytes(count: count) { digest in
            secret.withUnsafeBytes { secret in
                _ = crypto_hash_sha512(digest.bytes, secret.bytes, UInt64(secret.count))
            }
        }
    }
}
