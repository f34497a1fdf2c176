internal import Database
internal import Glibc
internal import Linux
internal import SQLite
internal import Synchronization

/// The store in one SQLite file, for one server.
///
/// In WAL mode with a sync of every commit: several processes may have the file open, writers
/// follow one another, and what was committed survives power loss.
public final class SQLiteStorage: Storage {
    /// Where the file is.
    public let path: String

    /// Which file it was when it was opened.
    private let identity: FileIdentity

    // Only touched while `lock` is held.
    private nonisolated(unsafe) let connection: SQLiteConnection
    private let lock = Mutex(())

    /// Opens the store's file, makes it where it is missing, and brings it to the present form.
    ///
    /// - Parameters:
    ///   - path: In a directory that exists. A new file has mode 0600, and belongs to whom the
    ///     directory belongs to: an operator may be root while the server is not.
    ///   - initialize: Fills a new store; runs in the transaction that makes it.
    /// - Throws: ``KeyServerError``; ``KeyServerError/newerStore(path:version:)`` for a file that
    ///   a later version of this program has changed.
    public init(
        path: String,
        initialize: (any StorageTransaction) throws(KeyServerError) -> Void = { _ in }
    ) throws(KeyServerError) {
        self.path = path
        try Self.createFile(path)
        identity = try Self.identity(of: path)
        do throws(DatabaseError) {
            connection = try SQLiteConnection(path: path, mode: .existing)
            // The order counts: nothing is trusted before the header has been read.
            try connection.execute("PRAGMA trusted_schema = OFF")
            try connection.useWriteAheadLog()
            try connection.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        } catch {
            throw .storage(reason: "\(path): \(error)")
        }
        try migrate(initialize)
    }

    /// Does something in one transaction; see ``Storage/transaction(_:_:)``.
    public func transaction<Result: Sendable>(
        _ access: StorageAccess,
        _ body: (any StorageTransaction) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result {
        try lock.withLock { _ throws(KeyServerError) in
            try perform(access) { transaction throws(KeyServerError) in try body(transaction) }
        }
    }

    private func perform<Result>(
        _ access: StorageAccess,
        _ body: (SQLTransaction) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result {
        // SQLite would go on with a file that has lost its name, and nobody would ever read of it.
        guard try Self.identity(of: path) == identity else {
            throw .storage(
                reason: "\(path) is another file than the one that was opened: start anew"
            )
        }
        // A transaction that will write asks for the lock at once: one that read first could find
        // that another has written in between, and would have to begin again.
        try execute(access == .writing ? "BEGIN IMMEDIATE" : "BEGIN")
        do throws(KeyServerError) {
            let result = try body(SQLTransaction(connection: connection))
            try execute("COMMIT")
            return result
        } catch {
            // A full disk has SQLite roll back by itself.
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }

    private func migrate(
        _ initialize: (any StorageTransaction) throws(KeyServerError) -> Void
    ) throws(KeyServerError) {
        let found = try version()
        guard found <= StoreSchema.version else {
            throw .newerStore(path: path, version: found)
        }
        guard found < StoreSchema.version else { return }
        try perform(.writing) { transaction throws(KeyServerError) in
            // Another process may have been quicker.
            let found = try version()
            guard found < StoreSchema.version else { return }
            for step in StoreSchema.steps[found...] { try execute(step) }
            try execute("PRAGMA user_version = \(StoreSchema.version)")
            try execute("PRAGMA application_id = \(StoreSchema.applicationID)")
            if found == 0 { try initialize(transaction) }
        }
    }

    private static func identity(of path: String) throws(KeyServerError) -> FileIdentity {
        do throws(Errno) {
            return try FileStatus(path: path).identity
        } catch {
            throw .file(path: path, operation: "look at", errno: error)
        }
    }

    private func version() throws(KeyServerError) -> Int {
        do throws(DatabaseError) {
            return try connection.row("PRAGMA user_version") { $0.integer(0) } ?? 0
        } catch {
            throw .storage(reason: "\(path): \(error)")
        }
    }

    private func execute(_ sql: String) throws(KeyServerError) {
        do throws(DatabaseError) {
            try connection.execute(sql)
        } catch {
            throw .storage(reason: "\(path): \(error)")
        }
    }

    /// Makes an empty file of the right mode, which SQLite would make for everybody to read; its
    /// companions take after it.
    static func createFile(_ path: String) throws(KeyServerError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let errno = Errno.current
            if errno == Errno(rawValue: EEXIST) { return }
            throw .file(path: path, operation: "create", errno: errno)
        }
        let file = OwnedDescriptor(takingOwnershipOf: descriptor)
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let directory: FileStatus
        do throws(Errno) {
            directory = try FileStatus(path: parent)
        } catch {
            throw .file(path: parent, operation: "look at", errno: error)
        }
        // Fails for who is neither root nor the owner, whose file it then rightly is.
        try? FileCall.setOwner(file.rawValue, user: directory.user, group: directory.group)
    }
}
