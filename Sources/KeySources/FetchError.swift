/// Why no keys were fetched.
public enum FetchError: Error, Equatable, Sendable {
    /// It may work later: the server is not there yet, or the clock, a certificate or a setting
    /// will be put right.
    case retryable(cause: String)

    /// The server will not hand out the keys, however often it is asked: exit code 77.
    case refused(message: String)

    /// What this device was given cannot work, whatever the server says: exit code 78.
    case misconfigured(message: String)
}

extension FetchError: CustomStringConvertible {
    /// One line for a person; never holds a key or a credential.
    public var description: String {
        switch self {
        case .retryable(let cause): cause
        case .refused(let message), .misconfigured(let message): message
        }
    }
}
