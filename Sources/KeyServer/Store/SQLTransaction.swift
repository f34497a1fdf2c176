internal import Database

/// A transaction of any database that speaks SQL.
///
/// The statements stand in its extensions, once for every database.
struct SQLTransaction: StorageTransaction {
    let connection: any DatabaseConnection

    /// Runs a change.
    @discardableResult
    func run(_ sql: String, _ values: DatabaseValue...) throws(KeyServerError) -> Int {
        try attempt { () throws(DatabaseError) in try connection.run(sql, values) }
    }

    /// Runs a change whose failure may come to light later, at the commit at the latest.
    func post(_ sql: String, _ values: DatabaseValue...) throws(KeyServerError) {
        try attempt { () throws(DatabaseError) in try connection.post(sql, values) }
    }

    /// Runs a query or a change, and words its failure.
    func attempt<Result>(
        _ body: () throws(DatabaseError) -> Result
    ) throws(KeyServerError) -> Result {
        do throws(DatabaseError) {
            return try body()
        } catch {
            throw .storage(reason: "\(error)")
        }
    }
}

extension DatabaseRow {
    /// A moment.
    func time(_ column: Int32) -> Timestamp { Timestamp(milliseconds: integer(column)) }

    /// A moment, if there is one.
    func timeIfAny(_ column: Int32) -> Timestamp? {
        integerIfAny(column).map(Timestamp.init(milliseconds:))
    }
}

extension DatabaseValue {
    /// A moment, or null.
    static func time(_ time: Timestamp?) -> DatabaseValue { .integer(time?.milliseconds) }
}
