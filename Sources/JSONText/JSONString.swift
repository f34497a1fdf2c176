internal import Cryptography

/// What stands between the quotes of a JSON string.
enum JSONString {
    static let quote = UInt8(ascii: "\"")
    static let escape = UInt8(ascii: "\\")

    /// The length of what begins here: one character, or one escape (a pair of surrogates counts as
    /// one).
    ///
    /// - Parameter bytes: Begins inside a string; what follows may be anything.
    /// - Returns: Nil where this is neither.
    static func unitCount(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let first = bytes.first, first >= 0x20 else { return nil }
        if first != escape { return characterCount(bytes) }
        let second = bytes.dropFirst().first ?? 0
        guard second == UInt8(ascii: "u") else {
            return simpleEscape(second) == nil ? nil : 2
        }
        guard let unit = codeUnit(bytes) else { return nil }
        guard UTF16.isSurrogate(unit) else { return 6 }
        guard UTF16.isLeadSurrogate(unit), let low = codeUnit(bytes.dropFirst(6)),
            UTF16.isTrailSurrogate(low)
        else { return nil }
        return 12
    }

    /// Whether the bytes are UTF-8 from end to end.
    static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = characterCount(rest) else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Gives the string's bytes in UTF-8, one after the other.
    ///
    /// - Parameters:
    ///   - bytes: A whole string that ``unitCount(_:)`` has accepted.
    ///   - emit: Called at most as often as there are bytes.
    static func decode(_ bytes: UnsafeRawBufferPointer, _ emit: (UInt8) -> Void) {
        var rest = bytes[...]
        while let first = rest.first {
            if first != escape {
                emit(first)
                rest = rest.dropFirst()
            } else if let byte = simpleEscape(rest.dropFirst().first ?? 0) {
                emit(byte)
                rest = rest.dropFirst(2)
            } else {
                // The scanner has seen that this is a character: nothing here is ever skipped.
                let count = unitCount(rest) ?? rest.count
                if let scalar = escapedScalar(rest), let encoded = UTF8.encode(scalar) {
                    for byte in encoded { emit(byte) }
                }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Gives a string as it stands in a text, quotes included, one byte after the other.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8.
    ///   - emit: Called two times, and for every byte up to six times.
    static func encode(_ bytes: some Sequence<UInt8>, _ emit: (UInt8) -> Void) {
        emit(quote)
        for byte in bytes {
            switch byte {
            case quote, escape:
                emit(escape)
                emit(byte)
            case 0..<0x20:
                for character in "\\u00".utf8 { emit(character) }
                for digit in Hexadecimal.encode([byte]).utf8 { emit(digit) }
            default: emit(byte)
            }
        }
        emit(quote)
    }

    /// The length of one character in UTF-8, without overlong forms, surrogates or anything beyond
    /// U+10FFFF (RFC 3629 §4).
    private static func characterCount(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        let second: ClosedRange<UInt8>
        let count: Int
        switch bytes.first ?? 0xFF {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: (count, second) = (2, 0x80...0xBF)
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (count, second) = (3, 0x80...0xBF)
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (count, second) = (4, 0x80...0xBF)
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: return nil
        }
        let rest = bytes.dropFirst().prefix(count - 1)
        guard rest.count == count - 1, let next = rest.first, second.contains(next),
            rest.dropFirst().allSatisfy({ (0x80...0xBF).contains($0) })
        else { return nil }
        return count
    }

    private static func simpleEscape(_ letter: UInt8) -> UInt8? {
        switch letter {
        case quote, escape, UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// The number of `\uXXXX`.
    private static func codeUnit(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt16? {
        let unit = bytes.prefix(6)
        guard unit.count == 6, unit.starts(with: [escape, UInt8(ascii: "u")]) else { return nil }
        var number: UInt16 = 0
        for digit in unit.dropFirst(2) {
            guard let value = hexadecimalValue(digit) else { return nil }
            number = number << 4 | value
        }
        return number
    }

    /// The character of `\uXXXX`, or of two of them that are a pair of surrogates.
    private static func escapedScalar(
        _ bytes: Slice<UnsafeRawBufferPointer>
    ) -> Unicode.Scalar? {
        guard let unit = codeUnit(bytes) else { return nil }
        guard UTF16.isLeadSurrogate(unit), let low = codeUnit(bytes.dropFirst(6)) else {
            return Unicode.Scalar(unit)
        }
        return Unicode.Scalar(0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF)))
    }

    private static func hexadecimalValue(_ digit: UInt8) -> UInt16? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(digit - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
