internal import Glibc
public import PostgreSQL

/// The acts of an operator, each in one transaction with its entry in the audit log.
///
/// Works on the store directly, whether a server has it open or not: the server looks at the store
/// for every request, so an act counts from the moment it returns. See ADR 31.
public struct Administration: Sendable {
    /// The store.
    public let storage: any Storage

    /// Where the authority is, which signs for devices.
    let state: StateDirectory

    /// Who acts, for the audit log.
    let `operator`: String

    /// Opens the store in a state directory, and makes it where it is missing.
    ///
    /// - Parameters:
    ///   - state: The directory.
    ///   - postgreSQL: Where the store is, if not there.
    /// - Throws: ``KeyServerError/noAuthority(directory:)`` where there is neither store nor
    ///   authority; else as ``SQLiteStorage`` and ``PostgreSQLStorage``.
    public init(
        _ state: StateDirectory,
        in postgreSQL: PostgreSQLAddress? = nil
    ) throws(KeyServerError) {
        let storage = try state.openStorage(in: postgreSQL)
        self.init(state, storage: storage, operator: Self.currentOperator)
    }

    init(_ state: StateDirectory, storage: any Storage, operator: String) {
        self.state = state
        self.storage = storage
        self.operator = `operator`
    }

    /// Does something to the store, and records it.
    ///
    /// - Parameters:
    ///   - act: For the log, such as `device.revoke`.
    ///   - body: Does it, and says what else the log should hold.
    /// - Returns: What `body` made.
    /// - Throws: What `body` throws; ``KeyServerError/storage(reason:)``.
    func perform<Result: Sendable>(
        _ act: String,
        _ body: (any StorageTransaction, Timestamp) throws(KeyServerError) -> (
            result: Result, fields: [String: AuditEntry.Value?]
        )
    ) throws(KeyServerError) -> Result {
        try storage.transaction(.writing) { store throws(KeyServerError) in
            let now = Timestamp.now
            let (result, fields) = try body(store, now)
            try record(act, at: now, fields, in: store)
            return result
        }
    }

    /// Records an act, in the transaction that does it.
    func record(
        _ act: String,
        at time: Timestamp,
        _ fields: [String: AuditEntry.Value?],
        in store: any StorageTransaction
    ) throws(KeyServerError) {
        let signed = fields.merging(["operator": .text(`operator`)]) { $1 }
        try store.append(AuditEntry(act, at: time, signed))
    }

    /// The user id, and who took it on where sudo says so.
    static var currentOperator: String {
        let user = "uid \(getuid())"
        guard let name = getenv("SUDO_USER") else { return user }
        return "\(user) (sudo: \(String(cString: name).prefix(64)))"
    }
}
