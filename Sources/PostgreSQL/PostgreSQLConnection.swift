internal import CPostgreSQL
public import Database

/// A connection to a PostgreSQL server, and the statements prepared on it.
///
/// Nothing waits for ever: not for a server that is gone, nor for one that is stopped, nor for
/// another's lock. A connection that failed so is of no more use; the owner opens another.
///
/// C: `PQconnectdbParams`, `PQsendPrepare`, `PQsendQueryPrepared`.
public final class PostgreSQLConnection: DatabaseConnection {
    /// The earliest version this has been made for, as `server_version_num`: 14.
    public static let minimumVersion: Int32 = 140_000

    /// PostgreSQL's.
    public let dialect = SQLDialect.postgreSQL

    let handle: OpaquePointer
    private var statements: [String: String] = [:]

    /// Within how many seconds an answer must come; more than the server itself allows a statement.
    public var patience = PostgreSQLConnection.patience

    /// What a connection's patience is unless something takes longer.
    public static let patience = 20

    /// Connects, and has the session work as the store needs it.
    ///
    /// - Throws: ``DatabaseError``: ``DatabaseError/unavailable(message:)`` where nobody answers,
    ///   ``DatabaseError/failed(operation:code:message:)`` for a server that will not do.
    public init(_ address: PostgreSQLAddress) throws(DatabaseError) {
        guard let opened = address.connect() else {
            throw .unavailable(message: "no memory for a connection")
        }
        handle = opened
        guard PQstatus(handle) == CONNECTION_OK else {
            throw .unavailable(message: Self.line(PQerrorMessage(handle)))
        }
        guard PQsetnonblocking(handle, 1) == 0 else {
            throw .unavailable(message: Self.line(PQerrorMessage(handle)))
        }
        try checkServer()
        try execute(Self.session)
        let fsync = try row("SELECT current_setting('fsync')") { $0.text(0) }
        guard fsync == "on" else {
            throw .failed(
                operation: "connect",
                code: "fsync",
                message: "the server runs with fsync off: what it commits does not survive"
            )
        }
    }

    deinit { PQfinish(handle) }

    /// A commit is on disk when it returns, whatever the database or the role has as its default.
    ///
    /// Whoever waits, and whoever stopped while others wait for it, is ended by the server: less
    /// for who holds the lock than for who waits for it, so that one stopped process costs the
    /// others a delay and no failure. In milliseconds.
    private static let session = """
        SET synchronous_commit = on;
        SET statement_timeout = 15000;
        SET lock_timeout = 12000;
        SET idle_in_transaction_session_timeout = 8000;
        """

    private func checkServer() throws(DatabaseError) {
        let version = PQserverVersion(handle)
        guard version >= Self.minimumVersion else {
            throw .failed(
                operation: "connect",
                code: "version",
                message: "the server is PostgreSQL \(version / 10_000); it must be "
                    + "\(Self.minimumVersion / 10_000) or later"
            )
        }
        let encoding = PQparameterStatus(handle, "server_encoding").map { String(cString: $0) }
        guard encoding == "UTF8" else {
            throw .failed(
                operation: "connect",
                code: "encoding",
                message: "the database's encoding is \(encoding ?? "unknown"); it must be UTF8"
            )
        }
    }

    /// Whether the connection can still be used.
    public var isUsable: Bool { PQstatus(handle) == CONNECTION_OK }

    /// Whether a transaction is open in which every statement so far succeeded: the server takes a
    /// commit of any other for a rollback, and says nothing.
    public var canCommit: Bool { PQtransactionStatus(handle) == PQTRANS_INTRANS }

    /// Whether a transaction is open, failed or not.
    public var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    /// Whether nothing is going on.
    public var isIdle: Bool { PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// Runs statements without parameters, one after the other.
    ///
    /// - Throws: ``DatabaseError``.
    ///
    /// C: `PQsendQuery`.
    public func execute(_ sql: String) throws(DatabaseError) {
        _ = try answer("execute") { PQsendQuery(handle, sql) }
    }

    /// Runs one statement that returns nothing.
    ///
    /// - Returns: How many rows it changed.
    /// - Throws: ``DatabaseError``.
    @discardableResult
    public func run(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Int {
        let result = try perform(sql, values)
        // Empty for what changes no rows.
        return Int(String(cString: PQcmdTuples(result.pointer))) ?? 0
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
        let result = try perform(sql, values)
        for column in 0..<PQnfields(result.pointer) {
            let type = PQftype(result.pointer, column)
            guard PostgreSQLRow.types.contains(type) else {
                throw .failed(
                    operation: "read",
                    code: "\(type)",
                    message: "a column of a type that is not read here; cast it"
                )
            }
        }
        let count = min(Int(PQntuples(result.pointer)), limit)
        for row in 0..<count { read(PostgreSQLRow(result: result.pointer, row: Int32(row))) }
    }

    private func perform(
        _ sql: String,
        _ values: [DatabaseValue]
    ) throws(DatabaseError) -> PostgreSQLResult {
        let name = try prepared(sql)
        let parameters = StatementParameters(values)
        return try answer("run") { parameters.send(to: name, on: handle) }
    }

    /// The name under which the server knows a statement.
    private func prepared(_ sql: String) throws(DatabaseError) -> String {
        if let name = statements[sql] { return name }
        let name = "s\(statements.count)"
        _ = try answer("prepare") {
            PQsendPrepare(handle, name, StatementText.numbered(sql), 0, nil)
        }
        statements[sql] = name
        return name
    }

    /// Sends something, and waits for all that comes back.
    ///
    /// - Returns: The last result.
    private func answer(
        _ operation: String,
        _ send: () -> Int32
    ) throws(DatabaseError) -> PostgreSQLResult {
        guard send() == 1 else {
            throw .unavailable(message: Self.line(PQerrorMessage(handle)))
        }
        let wait = ConnectionWait(handle: handle, seconds: patience)
        try wait.untilSent()
        var last: PostgreSQLResult?
        var failure: DatabaseError?
        while let result = try wait.nextResult() {
            // The first is the cause; what follows it are consequences.
            if failure == nil { failure = result.failure(of: operation) }
            last = result
        }
        if let failure {
            guard isUsable else { throw .unavailable(message: failure.description) }
            throw failure
        }
        guard let last else { throw .unavailable(message: "no answer") }
        return last
    }

    /// libpq's words, on one line.
    static func line(_ text: UnsafeMutablePointer<CChar>?) -> String {
        let words = text.map { String(cString: $0) } ?? ""
        return words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
