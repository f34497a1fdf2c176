public import Cryptography

/// What lets a device ask for its first certificate: shown once, and by the server known by its
/// hash only.
///
///     "sse1_" ‖ base64url(id (8) ‖ SHA-256 of the authority's certificate (32) ‖ random (32))
///
/// The middle part has the device know the server: nothing but the token has to be carried to it.
public struct EnrolmentToken: Sendable {
    /// What a token's text begins with.
    public static let prefix = "sse1_"

    /// Length of its text in bytes.
    public static let textCount = 5 + 96

    /// Names the token without telling anything of it: 16 hexadecimal digits.
    public let id: String

    /// SHA-256 of the DER form of the authority's certificate.
    public let authority: [UInt8]

    /// The token as it is handed over.
    public let text: SecretBytes

    private static let identifierCount = 8
    private static let digestCount = 32
    private static let secretCount = 32

    /// Makes a token.
    ///
    /// - Parameter authority: SHA-256 of the DER form of the authority's certificate: 32 bytes.
    public init(authority: [UInt8]) {
        let contents = SecretBytes.concatenating([
            SecretBytes(copying: RandomBytes.make(count: Self.identifierCount)),
            SecretBytes(copying: authority),
            .random(count: Self.secretCount),
        ])
        let text = SecretBytes.concatenating([
            SecretBytes(copying: Self.prefix.utf8),
            contents.withUnsafeBytes { Base64.encodeSecret($0, as: .url) },
        ])
        self.init(contents, text)
    }

    /// Reads a token's text; nil where it is none, or was cut short.
    ///
    /// - Parameter text: White space around it is passed over.
    public init?(parsing text: SecretBytes) {
        let text = text.withUnsafeBytes { bytes in
            let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
            let start = bytes.firstIndex { $0 > 0x20 } ?? 0
            return SecretBytes(
                copying: UnsafeRawBufferPointer(rebasing: bytes[start..<max(start, end)])
            )
        }
        let start = Self.prefix.utf8.count
        guard text.count == Self.textCount,
            text.withUnsafeBytes({ bytes in
                bytes.starts(with: Self.prefix.utf8) && bytes.allSatisfy { $0 > 0x20 }
            }),
            let contents = try? text.slice(start..<text.count).withUnsafeBytes({
                try Base64.decodeSecret($0, as: .url)
            }),
            contents.count == Self.identifierCount + Self.digestCount + Self.secretCount
        else { return nil }
        self.init(contents, text)
    }

    private init(_ contents: SecretBytes, _ text: SecretBytes) {
        (id, authority) = contents.withUnsafeBytes { bytes in
            let middle = Self.identifierCount + Self.digestCount
            return (
                Hexadecimal.encode(bytes[..<Self.identifierCount]),
                Array(bytes[Self.identifierCount..<middle])
            )
        }
        self.text = text
    }

    /// What the server knows it by: SHA-256 of the text.
    public var hash: [UInt8] { text.withUnsafeBytes { SHA256.digest(of: $0) } }
}
