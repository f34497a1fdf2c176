/// Why a string is no key, or bytes are no bundle of keys.
public enum KeyFormatError: Error, Equatable, Sendable {
    /// The key is empty or longer than ``StoreKey/maximumCount``.
    case invalidLength(found: Int)

    /// The key holds a NUL or a line break, which no key file or variable can carry.
    case controlCharacter

    /// The name is empty, longer than 128 bytes, or holds other than letters, digits, `.`, `_`, `-`.
    case invalidName

    /// The bundle names a key twice.
    case duplicateName(String)

    /// The bundle's bytes are not in the form ``KeyBundle`` writes.
    case malformedBundle
}

extension KeyFormatError: CustomStringConvertible {
    /// One line for a person; never holds a key.
    public var description: String {
        switch self {
        case .invalidLength(let found):
            "a key has 1 to \(StoreKey.maximumCount) bytes, this one \(found)"
        case .controlCharacter:
            "a key cannot hold a NUL byte or a line break"
        case .invalidName:
            "a key's name has 1 to 128 letters, digits, '.', '_' or '-'"
        case .duplicateName(let name):
            "key '\(name)' is named twice"
        case .malformedBundle:
            "malformed key bundle"
        }
    }
}
