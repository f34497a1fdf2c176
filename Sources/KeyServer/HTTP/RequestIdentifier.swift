internal import Cryptography
internal import HTTPTypes

/// What ties together a request's answer, its lines in the log and its entry in the audit log.
///
/// The client's own where it has one that is short and plain, else one made here. It proves
/// nothing: a device may use one twice, or another's.
enum RequestIdentifier {
    /// Longest that is taken over, in characters.
    static let maximumCount = 64

    /// Finds or makes a request's.
    static func of(_ fields: HTTPFields) -> String {
        if let given = fields[.requestID], isPlain(given) { return given }
        return Hexadecimal.encode(RandomBytes.make(count: 8))
    }

    /// Whether it can be taken over: letters, digits, `-`, `_`, `.`, `:` and nothing else.
    static func isPlain(_ text: String) -> Bool {
        let characters = text.utf8
        return (1...maximumCount).contains(characters.count)
            && characters.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."), UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }
}

extension HTTPField.Name {
    /// The field that carries it, both ways.
    static let requestID: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Request-Id") else {
            preconditionFailure("the name is a token")
        }
        return name
    }()
}
