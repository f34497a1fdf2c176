/// A row of a query's result; good for the call that is given it.
public protocol DatabaseRow {
    /// A column's number; 0 for null.
    func integer(_ column: Int32) -> Int

    /// A column's number; 0 for null.
    func real(_ column: Int32) -> Double

    /// A column's text; empty for null. What is no UTF-8 is replaced.
    func text(_ column: Int32) -> String

    /// A column's bytes; none for null.
    func blob(_ column: Int32) -> [UInt8]

    /// Whether a column holds no value.
    func isNull(_ column: Int32) -> Bool
}

extension DatabaseRow {
    /// A column's number, if it has one.
    public func integerIfAny(_ column: Int32) -> Int? { isNull(column) ? nil : integer(column) }

    /// A column's text, if it has one.
    public func textIfAny(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
}
