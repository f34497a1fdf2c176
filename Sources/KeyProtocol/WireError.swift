public import JSONText

/// Why a body is not what the protocol says it should be.
public enum WireError: Error, Equatable, Sendable {
    /// Not the JSON it should be.
    case json(JSONError)

    /// The answer lacks a key that was asked for.
    case missingKey(name: String)

    /// What the answer holds under this name cannot be a key.
    case malformedKey(name: String, KeyFormatError)
}

extension WireError: CustomStringConvertible {
    /// One line for a person; never holds any of the body but names that were asked for.
    public var description: String {
        switch self {
        case .json(.notUTF8):
            "a key that is not UTF-8, which JSON cannot carry"
        case .json(let error):
            error.description
        case .missingKey(let name):
            "no key named '\(name)'"
        case .malformedKey(let name, let error):
            "something else than a key as '\(name)': \(error)"
        }
    }
}

/// Reads or writes JSON and wraps its error.
func json<Result>(_ body: () throws(JSONError) -> Result) throws(WireError) -> Result {
    do throws(JSONError) {
        return try body()
    } catch {
        throw .json(error)
    }
}
