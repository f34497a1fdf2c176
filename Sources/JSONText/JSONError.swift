/// Why a text is not the JSON it should be.
public enum JSONError: Error, Equatable, Sendable {
    /// More bytes than ``JSONDocument/maximumCount``.
    case tooLong

    /// Not JSON as RFC 8259 has it, from this byte on.
    case notJSON(offset: Int)

    /// Objects and arrays are nested deeper than ``JSONDocument/maximumDepth``.
    case tooDeep

    /// More values than ``JSONDocument/maximumValues``.
    case tooManyValues

    /// An object has two members of one name; the second begins at this byte.
    case duplicateMember(offset: Int)

    /// A member that must be there is not.
    case missing(member: String)

    /// A member is of another type or size than it has to be.
    case invalid(member: String)

    /// A string to be written is not UTF-8, which JSON text has to be.
    case notUTF8
}

extension JSONError: CustomStringConvertible {
    /// A few words for a person; never holds any of the text but names that were asked for.
    public var description: String {
        switch self {
        case .tooLong:
            "more than \(JSONDocument.maximumCount) bytes"
        case .notJSON(let offset):
            "not JSON (at byte \(offset))"
        case .tooDeep:
            "JSON nested deeper than \(JSONDocument.maximumDepth) levels"
        case .tooManyValues:
            "JSON of more than \(JSONDocument.maximumValues) values"
        case .duplicateMember(let offset):
            "JSON that names a member twice (at byte \(offset))"
        case .missing(let member):
            "JSON without the member '\(member)'"
        case .invalid(let member):
            "JSON whose member '\(member)' is not of the right type and size"
        case .notUTF8:
            "a string that is not UTF-8, which JSON cannot carry"
        }
    }
}
