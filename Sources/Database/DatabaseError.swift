/// What a database did not do.
public enum DatabaseError: Error, Equatable, Sendable {
    /// A call failed, with the database's code and its words for it.
    case failed(operation: String, code: String, message: String)

    /// A value is there already that may be there only once.
    case conflict(operation: String)

    /// Another process held the lock for longer than we wait.
    case busy(operation: String)

    /// The disk has no room.
    case diskFull

    /// The file is no database, or a damaged one.
    case notADatabase(message: String)

    /// The database does not answer, or not in time; the connection is of no more use.
    case unavailable(message: String)

    /// Whether a value is there already that may be there only once.
    public var isConflict: Bool {
        if case .conflict = self { true } else { false }
    }
}

extension DatabaseError: CustomStringConvertible {
    /// A few words; never a value that was bound.
    public var description: String {
        switch self {
        case .failed(let operation, let code, let message): "\(operation): \(message) (\(code))"
        case .conflict(let operation): "\(operation): there already"
        case .busy(let operation): "\(operation): another process holds the database"
        case .diskFull: "the disk is full"
        case .notADatabase(let message): message
        case .unavailable(let message): message
        }
    }
}
