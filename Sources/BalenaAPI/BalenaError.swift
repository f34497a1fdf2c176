/// Why something could not be done at balena.
public enum BalenaError: Error, Equatable, Sendable {
    /// The token is no good: 401.
    case tokenRefused

    /// The token may read but not write this: 401 or 403.
    case writeRefused(what: String, status: Int)

    /// No such device, fleet or service is there for this token.
    case notFound(what: String)

    /// There is no such API at the address: 404.
    case noAPI(server: String)

    /// The API does not take a request: another 4xx.
    case rejected(what: String, status: Int, reason: String)

    /// Others change the same variables all the time.
    case contended(what: String)

    /// The API asks to be left alone for longer than anybody would wait here; seconds.
    case rateLimited(seconds: Int)

    /// It did not get better.
    case gaveUp(attempts: Int, cause: String)

    /// There is no use in trying again.
    case connection(cause: String)

    /// An answer is not what the API's documentation says.
    case answer(what: String, cause: String)

    /// A variable that balena does not take.
    case variable(name: String, VariableFault)

    /// The credentials, addresses or certificates given cannot work.
    case misconfigured(message: String)

    /// Whether the next device may do better.
    public var isOfOneTarget: Bool {
        switch self {
        case .notFound, .writeRefused, .rejected, .contended: true
        default: false
        }
    }
}

/// What is wrong with a variable.
public enum VariableFault: Error, Equatable, Sendable {
    /// Not letters, digits and `_`, a letter or `_` first.
    case name

    /// balena keeps the name, or the names that begin so, for itself.
    case reservedName

    /// The value has line breaks.
    case lineBreak

    /// More bytes than ``BalenaVariable/maximumValueCount``.
    case tooLong

    /// Not UTF-8.
    case notUTF8
}

extension BalenaError: CustomStringConvertible {
    /// One line for a person; never holds a value or the token.
    public var description: String {
        switch self {
        case .tokenRefused:
            "balena refuses the token (401): it is wrong, revoked or expired; make another in the "
                + "dashboard, under Preferences, Access tokens"
        case .writeRefused(let what, let status):
            "balena does not let this token set variables of \(what) (\(status)): it needs a "
                + "developer's or operator's rights there"
        case .notFound(let what):
            "balena knows no \(what), or this token may not see it: compare with the dashboard"
        case .noAPI(let server):
            "\(server) answered 404: is --api the address of balena's API?"
        case .rejected(let what, let status, let reason):
            "balena does not take the request for \(what): \(status)"
                + (reason.isEmpty ? "" : " \(reason)")
        case .contended(let what):
            "somebody else changes the same variables of \(what): run this again"
        case .rateLimited(let seconds):
            "balena asks for \(seconds) s without requests: run this again after that, it goes on "
                + "where it stopped"
        case .gaveUp(let attempts, let cause):
            "given up after \(attempts) attempts: \(cause); run this again, it goes on where it "
                + "stopped"
        case .connection(let cause):
            cause
        case .answer(let what, let cause):
            "balena's answer about \(what) is not as documented: \(cause)"
        case .variable(let name, let fault):
            "\(name): \(fault)"
        case .misconfigured(let message):
            message
        }
    }
}

extension VariableFault: CustomStringConvertible {
    /// A few words for a person.
    public var description: String {
        switch self {
        case .name: "a variable's name is letters, digits and _, and no digit first"
        case .reservedName: "balena keeps names such as this for itself"
        case .lineBreak: "balena takes no line breaks in a value; ciphertext and base64 have none"
        case .tooLong: "more than \(BalenaVariable.maximumValueCount) bytes"
        case .notUTF8: "not UTF-8"
        }
    }
}
