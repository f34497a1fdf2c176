internal import Database
public import PostgreSQL
internal import Synchronization

/// The store in a PostgreSQL database, for several servers.
///
/// A transaction that writes first takes a lock of the whole store, which the database gives back
/// when it ends: so they follow one another, whichever server or command they come from, and each
/// statement sees all that was committed before the lock was had. See ADR 45.
///
/// A connection that is lost is opened again with the next transaction.
public final class PostgreSQLStorage: Storage {
    private let address: PostgreSQLAddress
    private let patience: Int

    // Only touched while `lock` is held.
    private nonisolated(unsafe) var connection: PostgreSQLConnection?
    private let lock = Mutex(())

    private static let begin: [StorageAccess: String] = [
        // Each statement sees what was committed before it, and so before the lock was had.
        .writing: """
        BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
        SELECT pg_advisory_xact_lock(\(StoreSchema.applicationID))
        """,
        .reading: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    ]

    /// Connects, and brings the database to the present form.
    ///
    /// - Parameters:
    ///   - address: A database of its own, of a role that may make tables there.
    ///   - patience: Within how many seconds each answer must come.
    ///   - initialize: Fills a new store; runs in the transaction that makes it.
    /// - Throws: ``KeyServerError``; ``KeyServerError/newerStore(path:version:)`` for a database
    ///   that a later version of this program has changed.
    public init(
        _ address: PostgreSQLAddress,
        patience: Int = PostgreSQLConnection.patience,
        initialize: (any StorageTransaction) throws(KeyServerError) -> Void = { _ in }
    ) throws(KeyServerError) {
        self.address = address
        self.patience = patience
        try migrate(initialize)
    }

    /// Does something in one transaction; see ``Storage/transaction(_:_:)``.
    public func transaction<Result: Sendable>(
        _ access: StorageAccess,
        _ body: (any StorageTransaction) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result {
        try lock.withLock { _ throws(KeyServerError) in
            try perform(access) { connection throws(KeyServerError) in
                try body(SQLTransaction(connection: connection))
            }
        }
    }

    private func perform<Result>(
        _ access: StorageAccess,
        _ body: (PostgreSQLConnection) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result {
        let connection = try begun(access)
        // Dropped unless all goes well: what is unclear must not be gone on with.
        self.connection = nil
        do throws(KeyServerError) {
            let result = try body(connection)
            do throws(DatabaseError) {
                try connection.commit()
            } catch {
                throw storageError(error)
            }
            self.connection = connection
            return result
        } catch {
            if connection.isUsable, rollBack(connection) { self.connection = connection }
            throw error
        }
    }

    private func rollBack(_ connection: PostgreSQLConnection) -> Bool {
        // What was posted is answered first, whatever the answer is.
        try? connection.settle()
        guard connection.isInTransaction else { return connection.isIdle }
        return (try? connection.execute("ROLLBACK")) != nil
    }

    /// A connection with a transaction begun on it.
    private func begun(_ access: StorageAccess) throws(KeyServerError) -> PostgreSQLConnection {
        let statement = Self.begin[access] ?? ""
        if let connection {
            self.connection = nil
            do throws(DatabaseError) {
                try connection.execute(statement)
                return connection
            } catch {
                // The server was restarted since: nothing has been done yet, so begin anew. Who
                // only waited in vain for the lock goes on with the same connection later.
                guard case .unavailable = error else {
                    if rollBack(connection) { self.connection = connection }
                    throw storageError(error)
                }
            }
        }
        do throws(DatabaseError) {
            let fresh = try PostgreSQLConnection(address)
            fresh.patience = patience
            try fresh.execute(statement)
            return fresh
        } catch {
            throw storageError(error)
        }
    }

    private func migrate(
        _ initialize: (any StorageTransaction) throws(KeyServerError) -> Void
    ) throws(KeyServerError) {
        let found = try perform(.reading) { connection throws(KeyServerError) in
            try version(on: connection)
        }
        try check(found)
        guard found ?? 0 < StoreSchema.version else { return }
        try perform(.writing) { connection throws(KeyServerError) in
            // Another process may have been quicker.
            let found = try version(on: connection)
            try check(found)
            // Larger tables take longer than any request may.
            try execute("SET LOCAL statement_timeout = 0", on: connection)
            connection.patience = Self.migrationPatience
            defer { connection.patience = patience }
            if found == nil { try execute(PostgreSQLSchema.versionTable, on: connection) }
            for step in StoreSchema.steps[(found ?? 0)...] {
                try execute(translated(step), on: connection)
            }
            let update = "UPDATE store_version SET version = \(StoreSchema.version)"
            try execute(update, on: connection)
            if found ?? 0 == 0 { try initialize(SQLTransaction(connection: connection)) }
        }
    }

    /// How many seconds a step may take.
    private static let migrationPatience = 3600

    private func check(_ found: Int?) throws(KeyServerError) {
        guard let found, found > StoreSchema.version else { return }
        throw .newerStore(path: address.shown, version: found)
    }

    private func translated(_ step: String) throws(KeyServerError) -> String {
        do throws(PostgreSQLSchema.UnknownWord) {
            return try PostgreSQLSchema.translate(step)
        } catch {
            throw .storage(reason: "\(address.shown): a step with '\(error.word)'")
        }
    }

    /// How many steps the database has taken; `nil` for one that holds no store.
    private func version(on connection: PostgreSQLConnection) throws(KeyServerError) -> Int? {
        do throws(DatabaseError) {
            let exists = try connection.row(
                "SELECT to_regclass('store_version') IS NOT NULL"
            ) { $0.integer(0) }
            guard exists == 1 else { return nil }
            return try connection.row("SELECT version FROM store_version") { $0.integer(0) }
        } catch {
            throw storageError(error)
        }
    }

    private func execute(
        _ sql: String,
        on connection: PostgreSQLConnection
    ) throws(KeyServerError) {
        do throws(DatabaseError) {
            try connection.execute(sql)
        } catch {
            throw storageError(error)
        }
    }

    private func storageError(_ error: DatabaseError) -> KeyServerError {
        .storage(reason: "\(address.shown): \(error)")
    }
}
