import Database

/// Notes what is asked of a database, and how often an answer is waited for.
final class ObservedConnection: DatabaseConnection {
    private let base: any DatabaseConnection

    /// All but what has no parameters.
    private(set) var statements: [(sql: String, values: [DatabaseValue])] = []

    var waits = 0

    init(_ base: any DatabaseConnection) { self.base = base }

    var dialect: SQLDialect { base.dialect }

    func execute(_ sql: String) throws(DatabaseError) {
        waits += 1
        try base.execute(sql)
    }

    func run(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Int {
        waits += 1
        statements.append((sql, values))
        return try base.run(sql, values)
    }

    func forEachRow(
        _ sql: String,
        _ values: [DatabaseValue],
        limit: Int,
        _ read: (any DatabaseRow) -> Void
    ) throws(DatabaseError) {
        waits += 1
        statements.append((sql, values))
        try base.forEachRow(sql, values, limit: limit, read)
    }

    func post(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) {
        statements.append((sql, values))
        try base.post(sql, values)
    }

    func forEachRow(
        of queries: [DatabaseQuery],
        _ read: (Int, any DatabaseRow) -> Void
    ) throws(DatabaseError) {
        waits += 1
        statements += queries.map { ($0.sql, $0.values) }
        try base.forEachRow(of: queries, read)
    }
}
