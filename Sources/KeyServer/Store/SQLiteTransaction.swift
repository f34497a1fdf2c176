internal import SQLite

/// A transaction of ``SQLiteStorage``.
struct SQLiteTransaction: StorageTransaction {
    let connection: SQLiteConnection

    /// Runs a change.
    @discardableResult
    func run(_ sql: String, _ values: SQLiteValue...) throws(KeyServerError) -> Int {
        try attempt { () throws(SQLiteError) in try connection.run(sql, values) }
    }

    /// Runs a query or a change, and words its failure.
    func attempt<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(KeyServerError) -> Result {
        do throws(SQLiteError) {
            return try body()
        } catch {
            throw .storage(reason: "\(error)")
        }
    }
}

extension SQLiteRow {
    /// A moment.
    func time(_ column: Int32) -> Timestamp { Timestamp(milliseconds: integer(column)) }

    /// A moment, if there is one.
    func timeIfAny(_ column: Int32) -> Timestamp? {
        integerIfAny(column).map(Timestamp.init(milliseconds:))
    }
}

extension SQLiteValue {
    /// A moment, or null.
    static func time(_ time: Timestamp?) -> SQLiteValue { .integer(time?.milliseconds) }
}
