/// A statement and its values.
public struct DatabaseQuery: Equatable, Sendable {
    /// One statement, with a `?` for each value.
    public let sql: String

    /// In order.
    public let values: [DatabaseValue]

    /// Describes a query.
    public init(_ sql: String, _ values: DatabaseValue...) {
        self.sql = sql
        self.values = values
    }
}

/// Queries of which none needs what another one finds: asked together, they cost one wait.
public struct QueryBatch {
    private var queries: [DatabaseQuery] = []
    private var readers: [(any DatabaseRow) -> Void] = []

    /// An empty one.
    public init() {}

    /// Adds a query.
    ///
    /// - Parameters:
    ///   - query: What to ask.
    ///   - read: Gets each row, which is only valid for the call.
    public mutating func add(
        _ query: DatabaseQuery,
        read: @escaping (any DatabaseRow) -> Void
    ) {
        queries.append(query)
        readers.append(read)
    }

    /// Asks them, and shows their rows in order.
    ///
    /// - Throws: ``DatabaseError``.
    public func run(on connection: any DatabaseConnection) throws(DatabaseError) {
        guard !queries.isEmpty else { return }
        try connection.forEachRow(of: queries) { readers[$0]($1) }
    }
}
