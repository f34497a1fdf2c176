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

    /// Runs one statement before all that follow, and need not wait for what comes of it.
    ///
    /// Where it fails, this call says so or a later one, the commit at the latest; and nothing that
    /// came after it has happened.
    ///
    /// - Throws: ``DatabaseError``.
    func post(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError)

    /// Runs queries of which none needs what another one finds, waiting once for all where that
    /// can be, and shows their rows in order.
    ///
    /// - Parameters:
    ///   - queries: What to ask; not empty.
    ///   - read: Gets the query's index and a row, which is only valid for the call.
    /// - Throws: ``DatabaseError``.
    func forEachRow(
        of queries: [DatabaseQuery],
        _ read: (Int, any DatabaseRow) -> Void
    ) throws(DatabaseError)
}

extension DatabaseConnection {
    /// Runs one statement at once: for a database that is not far.
    ///
    /// - Throws: ``DatabaseError``.
    public func post(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) {
        try run(sql, values)
    }

    /// Runs queries one after the other: for a database that is not far.
    ///
    /// - Throws: ``DatabaseError``.
    public func forEachRow(
        of queries: [DatabaseQuery],
        _ read: (Int, any DatabaseRow) -> Void
    ) throws(DatabaseError) {
        for (index, query) in queries.enumerated() {
            try forEachRow(query.sql, query.values, limit: .max) { read(index, $0) }
        }
    }

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
