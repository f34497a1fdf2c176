/// Why a cryptographic operation did not give a result.
public enum CryptographyError: Error, Equatable, Sendable {
    /// The data was not made with this key, or was changed since: nothing of it may be used.
    case authenticationFailed

    /// An argument has a length that the algorithm does not take.
    case invalidLength(argument: String, found: Int)

    /// The text is not in the encoding it is said to be in.
    case invalidEncoding(encoding: String)

    /// A library call failed for a reason of its own: out of memory, an algorithm not available.
    case library(function: String, reason: String)
}

extension CryptographyError: CustomStringConvertible {
    /// One line for a person; never holds data or keys.
    public var description: String {
        switch self {
        case .authenticationFailed:
            "does not authenticate: wrong key, or changed since it was encrypted"
        case .invalidLength(let argument, let found):
            "\(argument) cannot be \(found) bytes long"
        case .invalidEncoding(let encoding):
            "not valid \(encoding)"
        case .library(let function, let reason):
            "\(function) failed: \(reason)"
        }
    }
}
