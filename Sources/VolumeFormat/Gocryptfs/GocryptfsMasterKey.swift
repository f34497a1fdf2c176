public import Cryptography

/// The one secret of a gocryptfs volume, from which the others follow.
///
/// A password only wraps it: changing the password changes nothing else.
public struct GocryptfsMasterKey: Sendable {
    /// Length in bytes.
    public static let count = 32

    /// The key.
    public let bytes: SecretBytes

    /// Takes a key; nil unless it is 32 bytes long.
    public init?(_ bytes: SecretBytes) {
        guard bytes.count == Self.count else { return nil }
        self.bytes = bytes
    }

    /// Draws a key, for a new volume.
    public static func random() -> GocryptfsMasterKey {
        GocryptfsMasterKey(drawn: .random(count: count))
    }

    /// Reads what is written on paper; nil where that is no key.
    ///
    /// - Parameter text: 64 hexadecimal digits; hyphens and white space between them do not count.
    public init?(paper text: SecretBytes) {
        guard let bytes = try? Hexadecimal.decodeSecret(text, passingOver: "- \t\r\n") else {
            return nil
        }
        self.init(bytes)
    }

    /// The key as it is kept on paper, and as `gocryptfs -masterkey` takes it: eight groups of
    /// eight hexadecimal digits, hyphens between them; 71 bytes.
    public var paper: SecretBytes {
        let digits = bytes.withUnsafeBytes(Hexadecimal.encodeSecret)
        let hyphen = SecretBytes(copying: [UInt8(ascii: "-")])
        var parts: [SecretBytes] = []
        for start in stride(from: 0, to: digits.count, by: 8) {
            if start > 0 { parts.append(hyphen) }
            parts.append(digits.slice(start..<start + 8))
        }
        return .concatenating(parts)
    }

    private init(drawn bytes: SecretBytes) {
        self.bytes = bytes
    }
}
