/// Where the key comes from, as `--key-source` names it.
///
/// | URI | source |
/// | --- | --- |
/// | `https://host[:port][/prefix]` | a key server; port 8443 where none is given |
/// | `file:PATH` | a file that holds one key |
/// | `fd:N` | an inherited descriptor that one key can be read from |
/// | `env:NAME` | an environment variable that holds one key |
public enum KeySource: Sendable, Equatable {
    /// A key server, asked over TLS.
    case keyServer(ServerAddress)

    /// A file: see ``KeyFile``.
    case file(path: String)

    /// A descriptor the process was started with: see ``KeyDescriptor``.
    case descriptor(Int32)

    /// A variable: its value is a key, see ``KeyText``.
    case environment(name: String)

    /// Reads a source's URI.
    ///
    /// - Parameter uri: One of the forms above; the scheme in any case of letters.
    /// - Throws: ``KeySourceError``, whose text never repeats what may be a password put there by
    ///   mistake.
    public init(parsing uri: String) throws(KeySourceError) {
        guard let colon = uri.utf8.firstIndex(of: UInt8(ascii: ":")),
            let scheme = Self.scheme(uri[..<colon])
        else { throw .noScheme }
        let rest = uri[uri.utf8.index(after: colon)...]
        switch scheme {
        case "https":
            guard rest.hasPrefix("//") else { throw .malformedAddress(.missingHost) }
            self = .keyServer(try ServerAddress(parsing: rest.dropFirst(2)))
        case "http":
            throw .plainHTTP
        case "file":
            self = .file(path: try Self.path(rest))
        case "fd":
            self = .descriptor(try Self.descriptor(rest))
        case "env":
            self = .environment(name: try Self.variable(rest))
        case "clevis", "fingerprint", "exec", "vault+https", "s3+https":
            throw .notSupportedYet(scheme: scheme)
        default:
            throw .unknownScheme(scheme)
        }
    }

    /// The scheme in lower case, or nil where this is none (RFC 3986 §3.1, at most 20 letters).
    private static func scheme(_ text: Substring) -> String? {
        guard (1...20).contains(text.utf8.count), let first = text.utf8.first, first.isLetter,
            text.utf8.allSatisfy({ $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) })
        else { return nil }
        return text.lowercased()
    }

    /// `PATH`, or `///PATH` as RFC 8089 writes an absolute one.
    private static func path(_ text: Substring) throws(KeySourceError) -> String {
        var path = text
        if path.hasPrefix("//") {
            path = path.dropFirst(2)
            guard path.hasPrefix("/") else { throw .malformedPath }
        }
        guard !path.isEmpty, !path.utf8.contains(0) else { throw .malformedPath }
        return String(path)
    }

    private static func descriptor(_ text: Substring) throws(KeySourceError) -> Int32 {
        guard (1...7).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit),
            let number = Int32(text)
        else { throw .malformedDescriptor }
        return number
    }

    private static func variable(_ text: Substring) throws(KeySourceError) -> String {
        guard !text.isEmpty, !text.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") })
        else { throw .malformedVariableName }
        return String(text)
    }
}

extension UInt8 {
    /// ASCII `a`...`z`, `A`...`Z`.
    var isLetter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }

    /// ASCII `0`...`9`.
    var isDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
