/// An open database, and the statements prepared on it.
///
/// One thread at a time: the owner sees to that. Values only ever travel as parameters, so no text
/// can become part of a statement. Statements are written for every database at once: a `?` for
/// each value, and ``SQLDialect`` where they differ.
public protocol DatabaseConnection: AnyObject {
    /// How this database says what others say otherwise.
    var dialect: SQLDialect { get }

    /// Runs statements without parameters, one after the other.
    ///
    /// - Throws: ``DatabaseError``.
    func execute(_ sql: String) throws(DatabaseError)

    /// Runs one statement that returns nothing.
    ///
    /// - Returns: How many rows it changed.
    /// - Throws: ``DatabaseError``.
    @discardableResult
    func run(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Int

    /// Runs one statement, and shows its rows in order.
    ///
    /// - Parameters:
    ///   - sql: One statement, with a `?` for each value.
    ///   - values: In order.
    ///   - limit: How many rows are shown at most.
    ///   - read: Gets a row, which is only valid for the call.
    /// - Throws: ``DatabaseError``.
    func forEachRow(
        _ sql: String,
        _ values: [DatabaseValue],
        limit: Int,
        _ read: (any DatabaseRow) -> Void
    ) throws(DatabaseError)
}

extension DatabaseConnection {
    /// Runs one statement that returns nothing.
    ///
    /// - Returns: How many rows it changed.
    /// - Throws: ``DatabaseError``.
    @discardableResult
    public func run(_ sql: String, _ values: DatabaseValue...) throws(DatabaseError) -> Int {
        try run(sql, values)
    }

    /// Reads every row of a query.
    ///
    /// - Parameters:
    ///   - sql: One statement, with a `?` for each value.
    ///   - values: In order.
    ///   - read: Makes a value of a row, which is only valid for the call.
    /// - Returns: The values made.
    /// - Throws: ``DatabaseError``.
    public func rows<Value>(
        _ sql: String,
        _ values: DatabaseValue...,
        read: (any DatabaseRow) -> Value
    ) throws(DatabaseError) -> [Value] {
        var found: [Value] = []
        try forEachRow(sql, values, limit: .max) { found.append(read($0)) }
        return found
    }

    /// Reads the first row of a query; `nil` where there is none.
    ///
    /// - Throws: ``DatabaseError``.
    public func row<Value>(
        _ sql: String,
        _ values: DatabaseValue...,
        read: (any DatabaseRow) -> Value
    ) throws(DatabaseError) -> Value? {
        var found: Value?
        try forEachRow(sql, values, limit: 1) { found = read($0) }
        return found
    }
}
