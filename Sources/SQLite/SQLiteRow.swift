internal import CSQLite
internal import Database

/// The row a statement stands on; good until the statement goes on.
struct SQLiteRow: DatabaseRow {
    let statement: OpaquePointer

    /// A column's number; 0 for null.
    ///
    /// C: `sqlite3_column_int64`.
    func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(statement, column)) }

    /// A column's number.
    ///
    /// C: `sqlite3_column_double`.
    func real(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }

    /// A column's text; empty for null.
    ///
    /// What is no UTF-8 is replaced.
    ///
    /// C: `sqlite3_column_text`.
    func text(_ column: Int32) -> String {
        guard let text = sqlite3_column_text(statement, column) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    /// A column's bytes; none for null.
    ///
    /// C: `sqlite3_column_blob`.
    func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(statement, column) else { return [] }
        let count = Int(sqlite3_column_bytes(statement, column))
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(statement, column) == SQLITE_NULL
    }
}
