/// Which name a device gets that enrols: one that is fixed, or one made from a pattern.
///
/// A pattern holds `{n}`, a number that counts up, or `{key}`, 12 hexadecimal digits of the
/// device's public key.
public struct EnrolmentName: Equatable, Sendable {
    /// As it was written.
    public let text: String

    private static let number = "{n}"
    private static let key = "{key}"
    private static let longestNumber = "9999999999"
    private static let keyDigits = 12

    /// Checks a name or pattern.
    ///
    /// - Throws: ``KeyServerError/deviceName(_:)`` where what it makes could be no device's name.
    public init(_ text: String) throws(KeyServerError) {
        self.text = text
        do throws(KeyServerError) {
            _ = try DeviceName(
                filled(Self.longestNumber, String(repeating: "0", count: Self.keyDigits))
            )
        } catch {
            throw .deviceName(text)
        }
    }

    /// Whether it is a device's name as it stands.
    public var isFixed: Bool { !isNumbered && !text.contains(Self.key) }

    /// Whether it counts.
    var isNumbered: Bool { text.contains(Self.number) }

    /// The name for a device.
    ///
    /// - Parameters:
    ///   - number: The next one; 1 to 9,999,999,999.
    ///   - key: SHA-256 of its public key, hexadecimal.
    /// - Returns: The name.
    /// - Throws: ``KeyServerError/deviceName(_:)``.
    func name(number: Int, key: String) throws(KeyServerError) -> DeviceName {
        try DeviceName(filled(String(number), String(key.prefix(Self.keyDigits))))
    }

    private func filled(_ number: String, _ key: String) -> String {
        Self.replace(Self.key, with: key, in: Self.replace(Self.number, with: number, in: text))
    }

    private static func replace(_ word: String, with value: String, in text: String) -> String {
        guard let place = text.firstRange(of: word) else { return text }
        return text.replacingCharacters(in: place, with: value)
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with value: String) -> String {
        String(self[..<range.lowerBound]) + value + String(self[range.upperBound...])
    }
}
