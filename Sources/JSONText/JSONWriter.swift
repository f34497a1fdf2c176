public import Cryptography

/// Writes JSON whose strings may be secrets.
///
/// Nothing is put together before ``text`` is asked for, whose length is known then: one piece of
/// secret memory a text, since each costs a dozen system calls.
public struct JSONWriter {
    private enum Part {
        /// As it is.
        case syntax(String)

        /// In quotes.
        case string(String)

        /// In quotes, and never anywhere but in secret memory.
        case secret(SecretBytes)
    }

    private var parts: [Part] = []

    /// Begins with nothing.
    public init() {}

    /// Adds punctuation, numbers and literals as they are.
    public mutating func append(_ syntax: String) {
        parts.append(.syntax(syntax))
    }

    /// Adds a string in quotes.
    public mutating func append(quoting text: String) {
        parts.append(.string(text))
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
        parts.append(.secret(secret))
    }

    /// What was written.
    public var text: SecretBytes {
        var count = 0
        forEachByte { _ in count += 1 }
        return SecretBytes(count: count) { text in
            var position = 0
            forEachByte { byte in
                text[position] = byte
                position += 1
            }
        }
    }

    private func forEachByte(_ body: (UInt8) -> Void) {
        for part in parts {
            switch part {
            case .syntax(let syntax): for byte in syntax.utf8 { body(byte) }
            case .string(let string): JSONString.encode(string.utf8, body)
            case .secret(let secret): secret.withUnsafeBytes { JSONString.encode($0, body) }
            }
        }
    }
}
