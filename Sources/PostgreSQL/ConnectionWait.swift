internal import CPostgreSQL
internal import Database
internal import Glibc

/// Waits for a server, until a moment.
struct ConnectionWait {
    private let handle: OpaquePointer
    private let seconds: Int
    private let end: ContinuousClock.Instant

    init(handle: OpaquePointer, seconds: Int) {
        self.handle = handle
        self.seconds = seconds
        end = .now + .seconds(seconds)
    }

    /// Returns when everything has been handed to the system.
    ///
    /// - Throws: ``DatabaseError/unavailable(message:)``.
    func untilSent() throws(DatabaseError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                // A server that answers before it has read everything must be listened to.
                if try ready(for: POLLIN | POLLOUT) & Int16(POLLIN) != 0 { try consume() }
            default: throw lost
            }
        }
    }

    /// The next result; `nil` when all have come.
    ///
    /// - Throws: ``DatabaseError/unavailable(message:)``.
    func nextResult() throws(DatabaseError) -> PostgreSQLResult? {
        while PQisBusy(handle) == 1 {
            _ = try ready(for: POLLIN)
            try consume()
        }
        return PQgetResult(handle).map(PostgreSQLResult.init)
    }

    private func consume() throws(DatabaseError) {
        guard PQconsumeInput(handle) == 1 else { throw lost }
    }

    private func ready(for events: Int32) throws(DatabaseError) -> Int16 {
        while true {
            let left = ContinuousClock.now.duration(to: end)
            let (whole, fraction) = left.components
            let milliseconds = Int32(whole) * 1000 + Int32(fraction / 1_000_000_000_000_000)
            guard milliseconds > 0 else {
                throw .unavailable(message: "no answer within \(seconds) s")
            }
            var wanted = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            if poll(&wanted, 1, milliseconds) > 0 { return wanted.revents }
        }
    }

    private var lost: DatabaseError {
        .unavailable(message: PostgreSQLConnection.line(PQerrorMessage(handle)))
    }
}
