public import Cryptography

/// A key as an operator holds it and a server serves it: a generated one, or a password.
///
/// Both open volumes and original-form variables, as the whole string; only a generated key makes
/// values of the new form.
///
/// Format: `docs/formats.md`, "Keys".
public struct StoreKey: Sendable {
    /// Longest key in bytes.
    public static let maximumCount = 4096

    /// The whole string, as typed or served.
    public let text: SecretBytes

    /// What the string encodes if it is a generated key; nil for a password.
    public let generated: GeneratedKey?

    /// Takes a key as it was typed or served.
    ///
    /// - Parameter text: 1...4096 bytes without NUL, CR or LF.
    /// - Throws: ``KeyFormatError``.
    public init(_ text: SecretBytes) throws(KeyFormatError) {
        guard (1...Self.maximumCount).contains(text.count) else {
            throw .invalidLength(found: text.count)
        }
        let hasControl = text.withUnsafeBytes { $0.contains { [0, 10, 13].contains($0) } }
        guard !hasControl else { throw .controlCharacter }
        self.text = text
        generated = GeneratedKey(parsing: text)
    }

    /// Draws a new key: `ssk1_` and 49 characters.
    public static func generate() -> StoreKey {
        let generated = GeneratedKey(bytes: .random(count: GeneratedKey.count))
        return StoreKey(text: generated.text, generated: generated)
    }

    /// The generated key of given bytes.
    ///
    /// - Parameter bytes: 32.
    public init(generatedOf bytes: SecretBytes) {
        precondition(bytes.count == GeneratedKey.count)
        let generated = GeneratedKey(bytes: bytes)
        self.init(text: generated.text, generated: generated)
    }

    private init(text: SecretBytes, generated: GeneratedKey) {
        self.text = text
        self.generated = generated
    }
}
