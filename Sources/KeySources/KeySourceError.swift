public import KeyProtocol
public import Linux

/// Why a key source cannot be used, or did not give a key.
public enum KeySourceError: Error, Equatable, Sendable {
    /// What was given does not begin with a scheme.
    case noScheme

    /// A scheme nobody knows.
    case unknownScheme(String)

    /// A scheme that is planned, and not there yet.
    case notSupportedYet(scheme: String)

    /// `http://`: keys cross the network under TLS or not at all.
    case plainHTTP

    /// The address after `https://` is malformed.
    case malformedAddress(AddressFault)

    /// No path after `file:`, or a host before it.
    case malformedPath

    /// No number after `fd:`.
    case malformedDescriptor

    /// No name after `env:`.
    case malformedVariableName

    /// The file cannot be opened.
    case cannotOpen(path: String, Errno)

    /// The file is something else than a regular file.
    case notRegular(path: String, found: FileKind)

    /// Reading failed.
    case cannotRead(KeyOrigin, Errno)

    /// There is nothing there, or a line break only.
    case empty(KeyOrigin)

    /// More bytes than a key has.
    case tooLong(KeyOrigin)

    /// More than one line.
    case severalLines(KeyOrigin)

    /// What is there cannot be a key.
    case malformedKey(KeyOrigin, KeyFormatError)

    /// The bytes are not a job that ``FetchJob/encoded()`` wrote.
    case malformedJob
}

/// What a key was read from, to name it in a message.
public enum KeyOrigin: Equatable, Sendable {
    /// The file at this path.
    case file(path: String)

    /// The descriptor of this number.
    case descriptor(Int32)

    /// The variable of this name.
    case environment(name: String)
}

extension KeyOrigin: CustomStringConvertible {
    /// As the subject or object of a sentence.
    public var description: String {
        switch self {
        case .file(let path): "key file \(path)"
        case .descriptor(let number): "descriptor \(number)"
        case .environment(let name): "variable \(name)"
        }
    }
}

extension KeySourceError: CustomStringConvertible {
    /// One line for a person; never holds a key.
    public var description: String {
        switch self {
        case .noScheme:
            "a key source is https://HOST, file:PATH, fd:N or env:NAME; this is none of them"
        case .unknownScheme(let scheme):
            "key source \(scheme): is not known: it is https://HOST, file:PATH, fd:N or env:NAME"
        case .notSupportedYet(let scheme):
            "key source \(scheme): is not supported yet: use https://HOST, file:PATH, fd:N or "
                + "env:NAME"
        case .plainHTTP:
            "key source http:// is refused: a key crosses the network under TLS only; use https://"
        case .malformedAddress(let fault):
            "key source https:// is malformed: \(fault)"
        case .malformedPath:
            "key source file: wants a path, as in file:/run/secrets/key"
        case .malformedDescriptor:
            "key source fd: wants a descriptor's number, as in fd:3"
        case .malformedVariableName:
            "key source env: wants a variable's name, as in env:STORE_KEY"
        case .cannotOpen(let path, let errno):
            "key file \(path) cannot be opened: \(errno)"
        case .notRegular(let path, let found):
            "key file \(path) is \(found), not a regular file"
                + (found == .pipe ? ": hand it over as fd:N" : "")
        case .cannotRead(let origin, let errno):
            "\(origin) cannot be read: \(errno)"
        case .empty(let origin):
            "\(origin) is empty: it should hold the key"
        case .tooLong(let origin):
            "\(origin) holds more than \(StoreKey.maximumCount) bytes: that is no key"
        case .severalLines(let origin):
            "\(origin) holds more than one line: it should hold the key and nothing else"
        case .malformedKey(let origin, let error):
            "\(origin) holds no key: \(error)"
        case .malformedJob:
            "malformed fetch job"
        }
    }
}
