/// A device's name: one DNS label in lower case, so that it can stand in a certificate, a file
/// name, a log line and a URL as it is.
public struct DeviceName: Hashable, Sendable {
    /// The name.
    public let text: String

    /// Checks a name.
    ///
    /// - Parameter text: 1 to 63 lower-case letters, digits and inner hyphens.
    /// - Throws: ``KeyServerError/deviceName(_:)``.
    public init(_ text: String) throws(KeyServerError) {
        let hyphen = UInt8(ascii: "-")
        guard (1...63).contains(text.utf8.count), text.utf8.first != hyphen,
            text.utf8.last != hyphen,
            text.utf8.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == hyphen
            })
        else { throw .deviceName(text) }
        self.text = text
    }
}

extension DeviceName: CustomStringConvertible {
    /// The name.
    public var description: String { text }
}
