internal import CPostgreSQL
internal import Database

/// Statements on their way to the server, whose answers are waited for together.
///
/// The server runs each in its turn, and each sees what those before it did. After one that fails
/// it passes over all that were sent before the next wait, a commit too.
///
/// C: `PQenterPipelineMode`, `PQpipelineSync`.
final class StatementPipeline {
    private enum Sent {
        case preparation(of: String)
        case statement
    }

    private let handle: OpaquePointer

    /// What the server knows statements by.
    private var names: [String: String] = [:]
    private var nameCount = 0

    /// What no answer has come to yet.
    private var sent: [Sent] = []

    init(handle: OpaquePointer) {
        self.handle = handle
    }

    /// Sends a statement, and before it, where the server does not know it yet, what it is.
    ///
    /// - Throws: ``DatabaseError/unavailable(message:)``.
    func send(_ sql: String, _ values: [DatabaseValue]) throws(DatabaseError) {
        guard PQenterPipelineMode(handle) == 1 else { throw lost }
        let name = try prepared(sql)
        guard StatementParameters(values).send(to: name, on: handle) == 1 else { throw lost }
        sent.append(.statement)
    }

    private func prepared(_ sql: String) throws(DatabaseError) -> String {
        if let name = names[sql] { return name }
        let name = "s\(nameCount)"
        nameCount += 1
        guard PQsendPrepare(handle, name, StatementText.numbered(sql), 0, nil) == 1 else {
            throw lost
        }
        names[sql] = name
        sent.append(.preparation(of: sql))
        return name
    }

    /// Waits for the answers to all that was sent.
    ///
    /// - Parameter seconds: Within which they must have come.
    /// - Returns: The statements' results, in order.
    /// - Throws: ``DatabaseError``: the first failure. After
    ///   ``DatabaseError/unavailable(message:)`` the connection is of no more use.
    func finish(within seconds: Int) throws(DatabaseError) -> [PostgreSQLResult] {
        guard !sent.isEmpty else { return [] }
        // Whatever comes of them: they are waited for once, and a connection that is left in the
        // middle of its answers is not idle, and not gone on with.
        let items = sent
        sent = []
        guard PQpipelineSync(handle) == 1 else { throw lost }
        let wait = ConnectionWait(handle: handle, seconds: seconds)
        try wait.untilSent()
        var results: [PostgreSQLResult] = []
        var failure: DatabaseError?
        for item in items {
            guard let result = try wait.nextResult() else { throw lost }
            // Behind the results of each stands an end.
            guard try wait.nextResult() == nil else { throw lost }
            switch item {
            case .preparation(let sql):
                guard let fault = result.failure(of: "prepare") else { continue }
                // Passed over, perhaps: the server does not know it.
                names[sql] = nil
                failure = failure ?? fault
            case .statement:
                failure = failure ?? result.failure(of: "run")
                results.append(result)
            }
        }
        guard let end = try wait.nextResult(), end.isEndOfPipeline,
            PQexitPipelineMode(handle) == 1
        else { throw lost }
        if let failure { throw failure }
        return results
    }

    private var lost: DatabaseError {
        let message = PostgreSQLConnection.line(PQerrorMessage(handle))
        return .unavailable(message: message.isEmpty ? "no answer" : message)
    }
}
