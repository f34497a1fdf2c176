internal import CPostgreSQL
public import Database

/// A connection to a PostgreSQL server, and the statements prepared on it.
///
/// Nothing waits for ever: not for a server that is gone, nor for one that is stopped, nor for
/// another's lock. A connection that failed so is of no more use; the owner opens another.
///
/// C: `PQconnectdbParams`, `PQsendQuery`; ``StatementPipeline``.
public final class PostgreSQLConnection: DatabaseConnection {
    /// The earliest version this has been made for, as `server_version_num`: 14.
    public static let minimumVersion: Int32 = 140_000

    /// PostgreSQL's.
    public let dialect = SQLDialect.postgreSQL

    let handle: OpaquePointer
    private let pipeline: StatementPipeline

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
        pipeline = StatementPipeline(handle: opened)
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
        try settle()
        guard PQsendQuery(handle, sql) == 1 else {
            throw .unavailable(message: Self.line(PQerrorMessage(handle)))
        }
        let wait = ConnectionWait(handle: handle, seconds: patience)
        try wait.untilSent()
        var isAnswered = false
        var failure: DatabaseError?
        while let result = try wait.nextResult() {
            // The first is the cause; what follows it are consequences.
            failure = failure ?? result.failure(of: "execute")
            isAnswered = true
        }
        if let failure { throw worded(failure) }
        guard isAnswered else { throw .unavailable(message: "no answer") }
    }

    /// Waits until all that was posted is done.
    ///
    /// - Throws: ``DatabaseError``.
    public func settle() throws(DatabaseError) { _ = try answers() }

    /// Commits the transaction with all that was posted, in one round trip.
    ///
    /// - Throws: ``DatabaseError``; then nothing was committed, but for
    ///   ``DatabaseError/unavailable(message:)``, after which nobody knows.
    public func commit() throws(DatabaseError) {
        try post("COMMIT", [])
        // The server takes the commit of a transaction in which something failed for a rollback,
        // and says so here only.
        guard try answers().last?.command == "COMMIT" else {
            throw .failed(operation: "commit", code: "", message: "a statement failed")
        }
    }

    /// Sends one statement, with the next that is waited for.
    ///
    /// - Throws: ``DatabaseError/unavailable(message:)``.
    public func post(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) {
        try pipeline.send(sql, values)
    }

    /// Runs one statement that returns nothing.
    ///
    /// - Returns: How many rows it changed.
    /// - Throws: ``DatabaseError``.
    @discardableResult
    public func run(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) -> Int {
        try post(sql, values)
        guard let result = try answers().last else { throw .unavailable(message: "no answer") }
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
        try post(sql, values)
        guard let result = try answers().last else { throw .unavailable(message: "no answer") }
        try show(result, limit: limit, read)
    }

    /// Runs queries in one round trip, and shows their rows in order.
    ///
    /// - Throws: ``DatabaseError``.
    public func forEachRow(
        of queries: [DatabaseQuery],
        _ read: (Int, any DatabaseRow) -> Void
    ) throws(DatabaseError) {
        for query in queries { try post(query.sql, query.values) }
        // What was posted before has answers too.
        let results = try answers().suffix(queries.count)
        for (index, result) in results.enumerated() {
            try show(result, limit: .max) { read(index, $0) }
        }
    }

    private func show(
        _ result: PostgreSQLResult,
        limit: Int,
        _ read: (any DatabaseRow) -> Void
    ) throws(DatabaseError) {
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

    private func answers() throws(DatabaseError) -> [PostgreSQLResult] {
        do throws(DatabaseError) {
            return try pipeline.finish(within: patience)
        } catch {
            throw worded(error)
        }
    }

    /// A failure that the connection did not survive is one of the connection's.
    private func worded(_ failure: DatabaseError) -> DatabaseError {
        isUsable ? failure : .unavailable(message: failure.description)
    }

    /// libpq's words, on one line.
    static func line(_ text: UnsafeMutablePointer<CChar>?) -> String {
        let words = text.map { String(cString: $0) } ?? ""
        return words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
