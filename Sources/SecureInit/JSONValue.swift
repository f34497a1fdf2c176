/// A value to be written as JSON; nothing secret, for it is in ordinary memory.
///
/// Format: RFC 8259.
indirect enum JSONValue {
    case null
    case flag(Bool)
    case number(Int64)
    case text(String)
    case array([JSONValue])
    /// Members in this order.
    case object([(String, JSONValue)])

    static func optional(_ text: String?) -> JSONValue { text.map { .text($0) } ?? .null }
    static func optional(_ number: Int64?) -> JSONValue { number.map { .number($0) } ?? .null }
    static func optional(_ value: JSONValue?) -> JSONValue { value ?? .null }

    /// The text, on one line.
    var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .flag(let flag): bytes += (flag ? "true" : "false").utf8
        case .number(let number): bytes += "\(number)".utf8
        case .text(let text): Self.appendQuoted(&bytes, text)
        case .array(let values):
            Self.appendList(&bytes, "[", values, "]") { $1.append(to: &$0) }
        case .object(let members):
            Self.appendList(&bytes, "{", members, "}") { bytes, member in
                Self.appendQuoted(&bytes, member.0)
                bytes.append(UInt8(ascii: ":"))
                member.1.append(to: &bytes)
            }
        }
    }

    private static func appendList<Element>(
        _ bytes: inout [UInt8],
        _ open: Unicode.Scalar,
        _ elements: [Element],
        _ close: Unicode.Scalar,
        _ append: (inout [UInt8], Element) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(&bytes, element)
        }
        bytes.append(UInt8(ascii: close))
    }

    /// Appends a string in quotes, RFC 8259 §7.
    static func appendQuoted(_ bytes: inout [UInt8], _ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7f:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
