internal import NIOSSL

/// Words what ended a connection.
enum ConnectionFailure {
    /// A TLS failure worth a line, in a few words; `nil` for the ways connections usually end.
    static func tlsReason(of error: any Error) -> String? {
        switch error {
        case NIOSSLError.uncleanShutdown: nil
        case NIOSSLError.handshakeFailed(let inner): reason("\(inner)")
        case is NIOSSLError, is BoringSSLError: reason("\(error)")
        default: nil
        }
    }

    /// BoringSSL's name of the failure, without the place in its source.
    private static func reason(_ description: String) -> String {
        let marker = "OPENSSL_internal:"
        guard let start = description.firstRange(of: marker)?.upperBound else {
            return description
        }
        return description[start...].prefix { $0 != " " }.lowercased()
            .split(separator: "_").joined(separator: " ")
    }
}
