public import Cryptography

/// 32 random bytes, written as `ssk1_` ‖ base64url(bytes) ‖ base64url(CRC-32, big-endian).
///
/// The checksum tells a mistyped key from a password.
public struct GeneratedKey: Sendable {
    /// Length in bytes.
    public static let count = 32

    /// What a generated key's text begins with.
    public static let prefix = "ssk1_"

    /// The key itself, 32 bytes.
    public let bytes: SecretBytes

    /// Names the key without telling anything of it: 8 hexadecimal digits.
    public let id: String

    private static let encodedCount = 43
    private static let encodedChecksumCount = 6

    init(bytes: SecretBytes) {
        self.bytes = bytes
        id = Self.id(of: bytes)
    }

    /// Reads a key's text; nil where it is no generated key, or a mistyped one.
    init?(parsing text: SecretBytes) {
        let start = Self.prefix.utf8.count
        let middle = start + Self.encodedCount
        guard text.count == middle + Self.encodedChecksumCount,
            text.withUnsafeBytes({ $0.starts(with: Self.prefix.utf8) }),
            let bytes = try? text.slice(start..<middle).decodingBase64URL(),
            let checksum = try? text.slice(middle..<text.count).decodingBase64URL(),
            bytes.count == Self.count,
            checksum.isEqual(to: Self.checksum(of: bytes))
        else { return nil }
        self.init(bytes: bytes)
    }

    /// The key as it is written down.
    var text: SecretBytes {
        SecretBytes.concatenating([
            SecretBytes(copying: Self.prefix.utf8),
            bytes.withUnsafeBytes { Base64.encodeSecret($0, as: .url) },
            Self.checksum(of: bytes).withUnsafeBytes { Base64.encodeSecret($0, as: .url) },
        ])
    }

    private static func id(of bytes: SecretBytes) -> String {
        let info = Array("secure-store/key-id/v1".utf8)
        // Fails only for want of memory; a key without a name could not be told from another.
        guard let derived = try? HKDF.deriveKey(from: bytes, info: info, count: 4) else {
            preconditionFailure("HKDF-SHA256 is not available")
        }
        return derived.withUnsafeBytes { Hexadecimal.encode($0) }
    }

    /// CRC-32 as in IEEE 802.3 and zlib, big-endian.
    private static func checksum(of bytes: SecretBytes) -> SecretBytes {
        var remainder = UInt32.max
        bytes.withUnsafeBytes { bytes in
            for byte in bytes {
                remainder ^= UInt32(byte)
                for _ in 0..<8 {
                    remainder = remainder >> 1 ^ (0xEDB8_8320 & (0 &- remainder & 1))
                }
            }
        }
        return withUnsafeBytes(of: (~remainder).bigEndian) { SecretBytes(copying: $0) }
    }
}

extension SecretBytes {
    fileprivate func decodingBase64URL() throws(CryptographyError) -> SecretBytes {
        try withUnsafeBytes { bytes throws(CryptographyError) in
            try Base64.decodeSecret(bytes, as: .url)
        }
    }
}
