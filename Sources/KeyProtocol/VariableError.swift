/// Why an encrypted variable cannot be decrypted, or a value not encrypted.
public enum VariableError: Error, Equatable, Sendable {
    /// The name is empty, or holds `=` or NUL.
    case invalidName

    /// There is nothing to decrypt.
    case empty

    /// Original form, but not pairs of hexadecimal digits.
    case notHexadecimal

    /// Shorter than nonce and tag.
    case tooShort(found: Int)

    /// New form, but not `v2.<key id>.<base64url>`.
    case malformed

    /// No key of this id has arrived.
    case unknownKey(wanted: String, arrived: [String])

    /// No key of this name has arrived, and the value does not say which one it wants.
    case noKey(name: String)

    /// The key is the wrong one, the value was changed, or it belongs to another variable.
    case authenticationFailed

    /// The plaintext holds a NUL byte, which no environment can carry, and no file is to.
    case holdsNUL

    /// The new form takes a generated key, not a password.
    case passwordForNewForm

    /// The cryptographic library failed.
    case library(String)
}

extension VariableError: CustomStringConvertible {
    /// One line for a person, to be put after the variable's name; never holds a value.
    public var description: String {
        switch self {
        case .invalidName:
            "the name after ENCRYPTED_ is empty or holds '='"
        case .empty:
            "the value is empty"
        case .notHexadecimal:
            "the value is neither hexadecimal digits in pairs nor of the form v2.<key id>.<data>"
        case .tooShort(let found):
            "the value is too short: \(found) bytes cannot hold a nonce and a tag"
        case .malformed:
            "the value is not of the form v2.<key id>.<data>: it may have been cut off"
        case .unknownKey(let wanted, let arrived):
            "it was encrypted with key \(wanted), but "
                + (arrived.isEmpty
                    ? "no generated key arrived"
                    : "what arrived is \(arrived.joined(separator: ", "))")
        case .noKey(let name):
            "no key named '\(name)' arrived"
        case .authenticationFailed:
            "the value does not decrypt: wrong key, changed since, or made for another variable"
        case .holdsNUL:
            "the decrypted value holds a NUL byte, which no variable can carry: --deliver file can"
        case .passwordForNewForm:
            "the v2 form needs a generated key (ssk1_…), not a password"
        case .library(let reason):
            reason
        }
    }
}
