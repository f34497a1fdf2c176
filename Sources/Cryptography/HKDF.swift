internal import CSodium

/// HKDF with SHA-256, RFC 5869.
///
/// Over libsodium's HMAC, which has no HKDF of its own before 1.0.19: OpenSSL's takes a millisecond
/// to set the library up, which is half of what a start of `secure-init` takes.
public enum HKDF {
    /// The longest key that can be derived, in bytes.
    public static let maximumCount = 255 * SHA256.count

    /// Derives a key: extract with `salt`, then expand with `info`.
    ///
    /// - Parameters:
    ///   - secret: Input key material.
    ///   - salt: May be empty.
    ///   - info: Names the purpose; may be empty.
    ///   - count: 1...8160 bytes.
    /// - Returns: The derived key, `count` bytes.
    /// - Throws: ``CryptographyError/library(function:reason:)`` for a count out of range.
    ///
    /// C: `crypto_auth_hmacsha256_init` and its kin.
    public static func deriveKey(
        from secret: SecretBytes,
        salt: [UInt8] = [],
        info: [UInt8],
        count: Int
    ) throws(CryptographyError) -> SecretBytes {
        guard (1...maximumCount).contains(count) else {
            throw .library(function: "HKDF", reason: "cannot derive \(count) bytes")
        }
        return salt.withUnsafeBytes { salt in
            info.withUnsafeBytes { info in
                let extracted = SecretBytes(count: SHA256.count) { key in
                    secret.withUnsafeBytes { authenticate([$0], under: salt, into: key) }
                }
                return SecretBytes(count: count) { output in
                    extracted.withUnsafeBytes { expand($0, info: info, into: output) }
                }
            }
        }
    }

    /// RFC 5869 §2.3: block n is the code of block n − 1 ‖ info ‖ n.
    private static func expand(
        _ key: UnsafeRawBufferPointer,
        info: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) {
        withUnsafeTemporaryAllocation(byteCount: SHA256.count, alignment: 16) { block in
            defer { Wipe.zero(block) }
            var number: UInt8 = 0
            var previous = UnsafeRawBufferPointer(rebasing: block[..<0])
            for start in stride(from: 0, to: output.count, by: SHA256.count) {
                number += 1
                withUnsafeBytes(of: number) { number in
                    authenticate([previous, info, number], under: key, into: block)
                }
                previous = UnsafeRawBufferPointer(block)
                let part = output[start..<min(start + SHA256.count, output.count)]
                UnsafeMutableRawBufferPointer(rebasing: part)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: previous[..<part.count]))
            }
        }
    }

    /// HMAC-SHA256 of several parts, in order; the code may overwrite one of them.
    private static func authenticate(
        _ parts: [UnsafeRawBufferPointer],
        under key: UnsafeRawBufferPointer,
        into code: UnsafeMutableRawBufferPointer
    ) {
        var state = crypto_auth_hmacsha256_state()
        defer { withUnsafeMutableBytes(of: &state) { Wipe.zero($0) } }
        _ = crypto_auth_hmacsha256_init(&state, key.bytes, key.count)
        for part in parts {
            _ = crypto_auth_hmacsha256_update(&state, part.bytes, UInt64(part.count))
        }
        _ = crypto_auth_hmacsha256_final(&state, code.bytes)
    }
}
