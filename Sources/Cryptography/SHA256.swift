internal import CSodium

/// SHA-256, FIPS 180-4.
///
/// C: `crypto_hash_sha256`.
public enum SHA256 {
    /// Digest length in bytes.
    public static let count = 32

    /// The digest of public bytes.
    public static func digest(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { digest, initialized in
            hash(bytes, into: UnsafeMutableRawBufferPointer(digest))
            initialized = count
        }
    }

    /// The digest of public bytes, without allocating.
    ///
    /// - Parameters:
    ///   - bytes: Any length.
    ///   - digest: 32 bytes.
    public static func digest(
        of bytes: UnsafeRawBufferPointer,
        into digest: UnsafeMutableRawBufferPointer
    ) {
        precondition(digest.count == count)
        hash(bytes, into: digest)
    }

    /// The digest of a secret, itself a secret.
    public static func digest(of secret: SecretBytes) -> SecretBytes {
        SecretBytes(count: count) { digest in
            secret.withUnsafeBytes { hash($0, into: digest) }
        }
    }

    private static func hash(
        _ bytes: UnsafeRawBufferPointer,
        into digest: UnsafeMutableRawBufferPointer
    ) {
        _ = crypto_hash_sha256(digest.bytes, bytes.bytes, UInt64(bytes.count))
    }
}
