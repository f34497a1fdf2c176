internal import CSQLite
internal import Database

extension DatabaseError {
    /// Words a result code, of SQLite's extended ones.
    init(operation: String, code: Int32, message: String) {
        // The low byte is the primary code; https://www.sqlite.org/rescode.html
        switch code & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED: self = .busy(operation: operation)
        case SQLITE_FULL: self = .diskFull
        case SQLITE_NOTADB, SQLITE_CORRUPT: self = .notADatabase(message: message)
        // SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE, macros of macros.
        case SQLITE_CONSTRAINT where code >> 8 == 6 || code >> 8 == 8:
            self = .conflict(operation: operation)
        default: self = .failed(operation: operation, code: "\(code)", message: message)
        }
    }
}
