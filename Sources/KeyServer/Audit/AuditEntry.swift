/// One thing that was done or decided, before it has its place in the log.
public struct AuditEntry: Sendable {
    /// A value of a field.
    public enum Value: Equatable, Sendable {
        case text(String)
        case list([String])
        case number(Int)
    }

    /// When.
    public let time: Timestamp

    /// What kind of thing, such as `release` or `device.revoke`.
    public let act: String

    /// What else there is to say; never a secret.
    public let fields: [String: Value]

    /// Describes an act; fields without a value are left out.
    public init(_ act: String, at time: Timestamp, _ fields: [String: Value?]) {
        self.act = act
        self.time = time
        self.fields = fields.compactMapValues { $0 }
    }

    /// The entry as it is logged, hashed and exported: one JSON object on one line.
    func json(number: Int) -> String {
        let rest = fields.sorted { $0.key < $1.key }.map { name, value in
            "\(JSONString.encode(name)):\(Self.json(value))"
        }
        let head = [
            #""number":\#(number)"#, #""time":"\#(time)""#, #""act":\#(JSONString.encode(act))"#,
        ]
        return "{\((head + rest).joined(separator: ","))}"
    }

    private static func json(_ value: Value) -> String {
        switch value {
        case .text(let text): JSONString.encode(text)
        case .list(let texts): "[\(texts.map(JSONString.encode).joined(separator: ","))]"
        case .number(let number): String(number)
        }
    }
}

extension AuditEntry.Value: ExpressibleByStringInterpolation {
    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
}
