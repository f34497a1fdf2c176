/// A value of a column or a parameter.
public enum DatabaseValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    /// A number, or null.
    public static func integer(_ number: Int?) -> DatabaseValue {
        number.map { .integer(Int64($0)) } ?? .null
    }

    /// A text, or null.
    public static func text(_ text: String?) -> DatabaseValue {
        text.map { .text($0) } ?? .null
    }
}

extension DatabaseValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    /// A number.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
}
