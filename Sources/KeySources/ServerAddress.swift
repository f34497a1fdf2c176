internal import Linux

/// Where a key server listens.
public struct ServerAddress: Sendable, Equatable {
    /// The port where an address names none.
    public static let defaultPort: UInt16 = 8443

    /// A host name in lower case, or an IPv4 or IPv6 address without brackets.
    public let host: String

    /// The TCP port, 1 or more.
    public let port: UInt16

    /// What stands before `/v1/unlock` and `/key`: empty, or `/` and more without a `/` at its end.
    public let path: String

    /// The address as `https://` writes it: IPv6 in brackets, the port always.
    var authority: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The address as a `Host` field has it: without the port that `https` stands for.
    var hostField: String {
        port == 443 ? String(authority.dropLast(":443".count)) : authority
    }

    /// Whether ``host`` is an address and not a name.
    var isNumeric: Bool { InternetAddress.isNumeric(host) }
}

/// What is wrong with a server's address.
public enum AddressFault: Error, Equatable, Sendable {
    /// No host, or no `//` before it.
    case missingHost

    /// Neither a host name in ASCII nor an IP address.
    case invalidHost

    /// Not a number from 1 to 65535.
    case invalidPort

    /// A user name or password before the host.
    case userInformation

    /// A `?` or `#`.
    case queryOrFragment

    /// The path holds what a path in a URL cannot.
    case invalidPath

    /// The path names the endpoint itself.
    case endpointInPath
}

extension AddressFault: CustomStringConvertible {
    /// One line for a person; never holds what was given.
    public var description: String {
        switch self {
        case .missingHost:
            "there is no host in it"
        case .invalidHost:
            "its host is neither a host name in ASCII (an IDN as xn--…) nor an IP address "
                + "(IPv6 in brackets)"
        case .invalidPort:
            "its port is not a number from 1 to 65535"
        case .userInformation:
            "it holds a user or password: credentials go into --cert, --key and --token-file"
        case .queryOrFragment:
            "it holds a '?' or '#'"
        case .invalidPath:
            "its path holds characters that must be percent-encoded"
        case .endpointInPath:
            "its path names an endpoint: leave out /key or /v1/unlock"
        }
    }
}
