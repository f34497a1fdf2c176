public import Cryptography

/// Writes JSON whose strings may be secrets.
public struct JSONWriter {
    private var parts: [SecretBytes] = []

    /// Begins with nothing.
    public init() {}

    /// Adds punctuation, numbers and literals as they are.
    public mutating func append(_ syntax: String) {
        parts.append(SecretBytes(copying: syntax.utf8))
    }

    /// Adds a string in quotes.
    public mutating func append(quoting text: String) {
        append(quotingUTF8: SecretBytes(copying: text.utf8))
    }

    /// Adds an array of strings.
    public mutating func append(listing texts: [String]) {
        append("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { append(",") }
            append(quoting: text)
        }
        append("]")
    }

    /// Adds a secret in quotes.
    ///
    /// - Parameter secret: UTF-8.
    /// - Throws: ``JSONError/notUTF8``.
    public mutating func append(quoting secret: SecretBytes) throws(JSONError) {
        guard secret.withUnsafeBytes(JSONString.isUTF8) else { throw .notUTF8 }
        append(quotingUTF8: secret)
    }

    /// What was written.
    public var text: SecretBytes { SecretBytes.concatenating(parts) }

    private mutating func append(quotingUTF8 text: SecretBytes) {
        // A control character takes six bytes: \u001f.
        var buffer = SecretBuffer(capacity: 2 + text.count * 6)
        func put(_ bytes: some Collection<UInt8>) {
            for byte in bytes { withUnsafeBytes(of: byte) { _ = buffer.append($0) } }
        }
        put([JSONString.quote])
        text.withUnsafeBytes { bytes in
            for byte in bytes {
                switch byte {
                case JSONString.quote, JSONString.escape: put([JSONString.escape, byte])
                case 0..<0x20:
                    put("\\u00".utf8)
                    put(Hexadecimal.encode([byte]).utf8)
                default: put([byte])
                }
            }
        }
        put([JSONString.quote])
        parts.append(buffer.copy())
    }
}
