/// Writes the strings of JSON log lines, RFC 8259 §7.
enum JSONString {
    /// A quoted string.
    static func encode(_ text: String) -> String {
        var bytes = [UInt8](repeating: 0, count: encodedCount(text.utf8))
        bytes.withUnsafeMutableBytes { write(text.utf8, into: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func encodedCount(_ text: some Sequence<UInt8>) -> Int {
        text.reduce(2) { $0 + Escape(of: $1).count }
    }

    private static func write(
        _ text: some Sequence<UInt8>,
        into buffer: UnsafeMutableRawBufferPointer
    ) {
        var next = 0
        func put(_ byte: UInt8) {
            buffer[next] = byte
            next += 1
        }
        put(UInt8(ascii: "\""))
        for byte in text {
            switch Escape(of: byte) {
            case .none:
                put(byte)
            case .backslash:
                put(UInt8(ascii: "\\"))
                put(byte)
            case .number:
                for digit in "\\u00".utf8 { put(digit) }
                put(Self.digit(byte >> 4))
                put(Self.digit(byte & 15))
            }
        }
        put(UInt8(ascii: "\""))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private enum Escape {
        case none, backslash, number

        init(of byte: UInt8) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): self = .backslash
            case 0..<0x20, 0x7f: self = .number
            default: self = .none
            }
        }

        var count: Int {
            switch self {
            case .none: 1
            case .backslash: 2
            case .number: 6
            }
        }
    }
}
