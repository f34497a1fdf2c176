import Database
import Synchronization

@testable import KeyServer

/// A store whose statements are noted, and how often each transaction waits for its database.
final class ObservedStorage: Storage {
    // Only one thread at a time: the ledger's, or a test's while that has nothing to do.
    private nonisolated(unsafe) let connection: ObservedConnection
    private let counts = Mutex<[Int]>([])

    init(_ base: any DatabaseConnection) { connection = ObservedConnection(base) }

    /// Of each transaction that was committed, without its beginning.
    var waits: [Int] { counts.withLock { $0 } }

    var statements: [(sql: String, values: [DatabaseValue])] { connection.statements }

    func transaction<Result: Sendable>(
        _ access: StorageAccess,
        _ body: (any StorageTransaction) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result {
        do {
            try connection.execute("BEGIN")
            connection.waits = 0
            let result = try body(SQLTransaction(connection: connection))
            try connection.execute("COMMIT")
            counts.withLock { $0.append(connection.waits) }
            return result
        } catch {
            try? connection.execute("ROLLBACK")
            throw .storage(reason: "\(error)")
        }
    }
}
