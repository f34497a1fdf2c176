internal import CSQLite

/// What SQLite did not do.
public enum SQLiteError: Error, Equatable, Sendable {
    /// A call failed, with SQLite's extended result code and its words for it.
    case failed(operation: String, code: Int32, message: String)

    /// Another connection held the lock for longer than ours waits.
    case busy(operation: String)

    /// The disk has no room.
    case diskFull

    /// The file is no database, or a damaged one.
    case notADatabase(message: String)

    init(operation: String, code: Int32, message: String) {
        // The low byte is the primary code; https://www.sqlite.org/rescode.html
        switch code & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED: self = .busy(operation: operation)
        case SQLITE_FULL: self = .diskFull
        case SQLITE_NOTADB, SQLITE_CORRUPT: self = .notADatabase(message: message)
        default: self = .failed(operation: operation, code: code, message: message)
        }
    }

    /// Whether a value is there already that may be there only once.
    public var isConflict: Bool {
        guard case .failed(_, let code, _) = self else { return false }
        // SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE, macros of macros.
        return code == SQLITE_CONSTRAINT | 6 << 8 || code == SQLITE_CONSTRAINT | 8 << 8
    }
}

extension SQLiteError: CustomStringConvertible {
    /// A few words; never a value that was bound.
    public var description: String {
        switch self {
        case .failed(let operation, let code, let message): "\(operation): \(message) (\(code))"
        case .busy(let operation): "\(operation): another process holds the database"
        case .diskFull: "the disk is full"
        case .notADatabase(let message): message
        }
    }
}
