/// A word an operator makes up: a tag, a fleet.
public struct Label: Hashable, Sendable {
    /// The word.
    public let text: String

    /// Checks a word.
    ///
    /// - Parameter text: 1 to 63 letters, digits, `.`, `_`, `-`, the first a letter or digit.
    /// - Throws: ``KeyServerError/label(_:)``.
    public init(_ text: String) throws(KeyServerError) {
        let isAlphanumeric = { (byte: UInt8) in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte)
        }
        guard (1...63).contains(text.utf8.count), text.utf8.first.map(isAlphanumeric) == true,
            text.utf8.allSatisfy({ isAlphanumeric($0) || [0x2d, 0x2e, 0x5f].contains($0) })
        else { throw .label(text) }
        self.text = text
    }
}
