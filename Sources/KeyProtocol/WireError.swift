/// Why a body is not what the protocol says it should be.
public enum WireError: Error, Equatable, Sendable {
    /// More bytes than ``UnlockLimits/maximumBodyCount``.
    case tooLong

    /// Not JSON as RFC 8259 has it, from this byte on.
    case notJSON(offset: Int)

    /// Objects and arrays are nested deeper than ``UnlockLimits/maximumDepth``.
    case tooDeep

    /// More values than ``UnlockLimits/maximumValues``.
    case tooManyValues

    /// An object has two members of one name; the second begins at this byte.
    case duplicateMember(offset: Int)

    /// A member that must be there is not.
    case missing(member: String)

    /// A member is of another type or size than it has to be.
    case invalid(member: String)

    /// The answer lacks a key that was asked for.
    case missingKey(name: String)

    /// What the answer holds under this name cannot be a key.
    case malformedKey(name: String, KeyFormatError)

    /// A key is not UTF-8, which JSON text has to be.
    case notUTF8
}

extension WireError: CustomStringConvertible {
    /// One line for a person; never holds any of the body but names that were asked for.
    public var description: String {
        switch self {
        case .tooLong:
            "more than \(UnlockLimits.maximumBodyCount) bytes"
        case .notJSON(let offset):
            "not JSON (at byte \(offset))"
        case .tooDeep:
            "JSON nested deeper than \(UnlockLimits.maximumDepth) levels"
        case .tooManyValues:
            "JSON of more than \(UnlockLimits.maximumValues) values"
        case .duplicateMember(let offset):
            "JSON that names a member twice (at byte \(offset))"
        case .missing(let member):
            "JSON without the member '\(member)'"
        case .invalid(let member):
            "JSON whose member '\(member)' is not of the right type and size"
        case .missingKey(let name):
            "no key named '\(name)'"
        case .malformedKey(let name, let error):
            "something else than a key as '\(name)': \(error)"
        case .notUTF8:
            "a key that is not UTF-8, which JSON cannot carry"
        }
    }
}
