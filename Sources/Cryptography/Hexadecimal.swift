/// Lower-case hexadecimal digits; reading takes upper case too.
public enum Hexadecimal {
    /// Two digits a byte.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads digits.
    ///
    /// - Parameter text: ASCII; an even number of digits and nothing else.
    /// - Returns: A byte for two digits.
    /// - Throws: ``CryptographyError/invalidEncoding(encoding:)``.
    public static func decode(
        _ text: UnsafeRawBufferPointer
    ) throws(CryptographyError) -> [UInt8] {
        guard text.count.isMultiple(of: 2) else { throw .invalidEncoding(encoding: "hexadecimal") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = value(text[index]), let low = value(text[index + 1]) else {
                throw .invalidEncoding(encoding: "hexadecimal")
            }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
