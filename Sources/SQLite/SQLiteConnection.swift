internal import CSQLite
public import Database

/// An open database file, and the statements prepared on it.
///
/// C: `sqlite3_open_v2`, `sqlite3_prepare_v3`, `sqlite3_step`.
public final class SQLiteConnection: DatabaseConnection {
    /// What may be done with the file.
    public enum Mode: Sendable {
        /// Read and write a file that exists.
        case existing

        /// The same, and make the file where it is missing.
        case creating
    }

    /// SQLite's.
    public let dialect = SQLDialect.sqlite

    private let handle: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]

    /// How long a call waits for a lock that another process holds, in milliseconds.
    private static let patience: Int32 = 10_000

    /// Opens a file.
    ///
    /// - Throws: ``DatabaseError``.
    public init(path: String, mode: Mode) throws(DatabaseError) {
        var flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        if mode == .creating { flags |= SQLITE_OPEN_CREATE }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let message = String(cString: sqlite3_errstr(code))
            sqlite3_close_v2(opened)
            throw DatabaseError(operation: "open", code: code, message: message)
        }
        handle = opened
        sqlite3_busy_timeout(handle, Self.patience)
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// Runs statements without parameters, one after the other.
    ///
    /// - Throws: ``DatabaseError``.
    ///
    /// C: `sqlite3_exec`.
    public func execute(_ sql: String) throws(DatabaseError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil), "execute")
    }

    /// Runs one statement that returns nothing.
    ///
    /// - Returns: How many rows it changed.
    /// - Throws: ``DatabaseError``.
    @discardableResult
    public func run(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Int {
        let statement = try prepare(sql, values)
        defer { sqlite3_reset(statement) }
        while try step(statement) {}
        return Int(sqlite3_changes(handle))
    }

    /// Runs one statement, and shows its rows in order.
    ///
    /// - Throws: ``DatabaseError``.
    public func forEachRow(
        _ sql: String,
        _ values: [DatabaseValue],
        limit: Int,
        _ read: (any DatabaseRow) -> Void
    ) throws(DatabaseError) {
        let statement = try prepare(sql, values)
        defer { sqlite3_reset(statement) }
        var count = 0
        while count < limit, try step(statement) {
            read(SQLiteRow(statement: statement))
            count += 1
        }
    }

    /// Puts the file into WAL mode, where it is not yet.
    ///
    /// SQLite does this on a read lock that it turns into a write lock. Where another connection has
    /// the write lock it gives up at once, and does not wait as everywhere else: two that wait so
    /// for each other would wait in vain. Here nothing is read before, so trying again is safe.
    ///
    /// - Throws: ``DatabaseError``; ``DatabaseError/busy(operation:)`` where the lock could not be
    ///   had in as long as any other call waits for one.
    ///
    /// SQLite: `PRAGMA journal_mode`; `sqlite3BtreeBeginTrans` on when it does not wait.
    public func useWriteAheadLog() throws(DatabaseError) {
        let end = ContinuousClock.now + .milliseconds(Self.patience)
        while true {
            do throws(DatabaseError) {
                return try execute("PRAGMA journal_mode = WAL")
            } catch {
                guard case .busy = error, ContinuousClock.now < end else { throw error }
            }
            // Of different lengths, so that those who met do not meet again; in milliseconds.
            sqlite3_sleep(.random(in: 1...20))
        }
    }

    /// Whether a transaction is open.
    ///
    /// C: `sqlite3_get_autocommit`.
    public var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    private func prepare(
        _ sql: String,
        _ values: [DatabaseValue]
    ) throws(DatabaseError) -> OpaquePointer {
        let statement = try cached(sql)
        for (index, value) in values.enumerated() {
            try check(Self.bind(value, to: statement, at: Int32(index + 1)), "bind")
        }
        return statement
    }

    private func cached(_ sql: String) throws(DatabaseError) -> OpaquePointer {
        if let statement = statements[sql] { return statement }
        var prepared: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        try check(sqlite3_prepare_v3(handle, sql, -1, flags, &prepared, nil), "prepare")
        guard let prepared else {
            throw DatabaseError(
                operation: "prepare",
                code: SQLITE_MISUSE,
                message: "empty statement"
            )
        }
        statements[sql] = prepared
        return prepared
    }

    private static func bind(
        _ value: DatabaseValue,
        to statement: OpaquePointer,
        at index: Int32
    ) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(statement, index)
        case .integer(let number): return sqlite3_bind_int64(statement, index, number)
        case .real(let number): return sqlite3_bind_double(statement, index, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    csqlite_bind_text(statement, index, $0.baseAddress, Int32($0.count))
                }
            }
        case .blob(let bytes):
            guard !bytes.isEmpty else { return sqlite3_bind_zeroblob(statement, index, 0) }
            return csqlite_bind_blob(statement, index, bytes, Int32(bytes.count))
        }
    }

    /// Goes on to the next row; false at the end.
    private func step(_ statement: OpaquePointer) throws(DatabaseError) -> Bool {
        let code = sqlite3_step(statement)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else { throw error(code, "step") }
        return false
    }

    private func check(_ code: Int32, _ operation: String) throws(DatabaseError) {
        guard code == SQLITE_OK else { throw error(code, operation) }
    }

    private func error(_ code: Int32, _ operation: String) -> DatabaseError {
        DatabaseError(
            operation: operation,
            code: code,
            message: String(cString: sqlite3_errmsg(handle))
        )
    }
}
