internal import KeyServer
internal import Logging

/// What an operator should know before the first device calls.
enum ServeWarnings {
    private static let soonDays = 30

    /// Writes a line for each.
    ///
    /// - Throws: ``KeyServerError`` where a certificate cannot be read.
    static func log(for configuration: KeyServerConfiguration) throws {
        let logger = configuration.logger
        let certificate = try configuration.certificates.info()
        let now = Timestamp.now
        if now.seconds > certificate.notAfter.seconds {
            logger.error(
                "The server's certificate has expired; devices will refuse it",
                metadata: ["until": "\(certificate.notAfter.date)"]
            )
        } else if now.seconds < certificate.notBefore.seconds {
            logger.error(
                "The server's certificate is not valid yet; is the clock right?",
                metadata: ["from": "\(certificate.notBefore.date)", "now": "\(now)"]
            )
        } else if certificate.notAfter.seconds - now.seconds < soonDays * 86_400 {
            logger.warning(
                "The server's certificate expires soon",
                metadata: ["until": "\(certificate.notAfter.date)"]
            )
        }
        let authority = try CertificateInfo(
            pem: configuration.certificates.clientAuthorities,
            source: "the clients' authority"
        )
        if authority.fingerprint == certificate.fingerprint {
            logger.warning(
                "Server and devices share one certificate: a stolen device can pose as the server",
                metadata: ["remedy": "secure-store ca init; secure-store device add"]
            )
        }
        if configuration.authority != nil || configuration.acceptsTokens {
            logger.notice(
                "Requests without a certificate get as far as HTTP",
                metadata: [
                    "enroll": "\(configuration.authority != nil)",
                    "tokens": "\(configuration.acceptsTokens)",
                ]
            )
        }
        if configuration.isLegacy {
            logger.warning("TLS 1.2 and shared certificates are accepted as well (--legacy)")
        }
    }
}
