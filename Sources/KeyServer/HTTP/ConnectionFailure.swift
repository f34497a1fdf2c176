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

    /// The kind of a handshake's failure, for monitoring: one of a few.
    static func handshakeKind(of error: any Error) -> String {
        guard let reason = tlsReason(of: error)?.lowercased() else { return "closed" }
        return kinds.first { reason.contains($0.words) }?.kind ?? "other"
    }

    /// What BoringSSL's names of failures come down to; the first that fits.
    private static let kinds = [
        (words: "did not return a certificate", kind: "no_certificate"),
        (words: "certificate verify failed", kind: "untrusted_certificate"),
        (words: "eof during handshake", kind: "closed"),
        (words: "alert", kind: "refused_by_peer"),
        (words: "http request", kind: "not_tls"),
        (words: "wrong version number", kind: "not_tls"),
        (words: "unsupported protocol", kind: "version"),
        (words: "no shared", kind: "no_common_cipher"),
        (words: "decode", kind: "malformed"),
        (words: "unexpected", kind: "malformed"),
        (words: "too l", kind: "malformed"),
        (words: "bad", kind: "malformed"),
        (words: "signature", kind: "malformed"),
        (words: "excessive", kind: "malformed"),
    ]

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
