internal import CSodium

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

    /// Two digits a byte, for bytes whose text is a secret too.
    ///
    /// C: `sodium_bin2hex`.
    public static func encodeSecret(_ bytes: UnsafeRawBufferPointer) -> SecretBytes {
        let terminated = SecretBytes(count: bytes.count * 2 + 1) { text in
            text.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { return }
                _ = sodium_bin2hex(start, text.count, bytes.bytes, bytes.count)
            }
        }
        return terminated.slice(0..<bytes.count * 2)
    }

    /// Reads digits that stand for a secret.
    ///
    /// - Parameters:
    ///   - text: ASCII; an even number of digits.
    ///   - separators: Characters that do not count.
    /// - Returns: A byte for two digits.
    /// - Throws: ``CryptographyError/invalidEncoding(encoding:)``.
    ///
    /// C: `sodium_hex2bin`.
    public static func decodeSecret(
        _ text: SecretBytes,
        passingOver separators: String
    ) throws(CryptographyError) -> SecretBytes {
        var count = 0
        let buffer = try text.withUnsafeBytes { text throws(CryptographyError) in
            // libsodium passes over NUL as if it were a separator.
            guard !text.contains(0) else { throw .invalidEncoding(encoding: "hexadecimal") }
            return try SecretBytes(count: text.count / 2) { buffer throws(CryptographyError) in
                var end: UnsafePointer<CChar>?
                let start = UnsafeRawPointer(text.bytes).assumingMemoryBound(to: CChar.self)
                let result = sodium_hex2bin(
                    buffer.bytes,
                    buffer.count,
                    start,
                    text.count,
                    separators,
                    &count,
                    &end
                )
                guard result == 0, end == start + text.count else {
                    throw .invalidEncoding(encoding: "hexadecimal")
                }
            }
        }
        return buffer.slice(0..<count)
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
