internal import KeyProtocol
internal import Linux

/// Why one attempt at a key server gave no keys.
enum FetchFailure: Error, Equatable {
    // Before TLS.
    case nameDoesNotResolve(ResolverError)
    case connectionRefused
    case unreachable(Errno)
    case connectTimedOut(seconds: Int)

    // The handshake.
    case handshakeTimedOut(seconds: Int)
    case plainHTTP
    case notTLS
    case noCommonVersion
    case closedInHandshake
    case serverCertificate(CertificateFault)
    case clientCertificateRefused(reason: String)
    case clientCertificateWanted
    case alert(String)
    case tls(reason: String)

    // The exchange.
    case answerTimedOut(seconds: Int)
    case connectionLost(Errno)
    case closedEarly
    case notHTTP
    case headTooLong
    case framing
    case bodyTooLong
    case body(status: Int, WireError)

    // What the server says.
    case noEndpoint(status: Int)
    case redirect(status: Int, origin: String?)
    case status(Int, reason: String)
    case rateLimited
    case pending(code: String)
    case noEnrolment(path: String, status: Int)
    case unusableCertificate(reason: String)
    case refused(status: Int, reason: String, ServerAnswer.RefusalDetail?)
}

/// What is wrong with the certificate a server showed.
enum CertificateFault: Error, Equatable {
    /// Its time is over, by the clock here. Dates as `2026-11-21`.
    case expired(on: String, today: String)

    /// Its time has not come, by the clock here.
    case notYetValid(from: String, today: String)

    /// It is another host's; these are the names in it.
    case wrongHost(wanted: String, found: [String])

    /// It does not lead to anything that is trusted here: an authority, or only the device's own
    /// certificate.
    case untrusted(reason: String, trustsOwn: Bool)
}

extension FetchFailure {
    /// One line for a person: what was tried, what was found, what would fix it.
    ///
    /// - Parameter server: The server as ``ServerAddress/authority`` has it.
    /// - Returns: A sentence that is the same as long as the cause is the same, so that a log line
    ///   for every change of it is not a line for every attempt.
    func text(server: String) -> String {
        switch self {
        case .nameDoesNotResolve(let error):
            "the name in \(server) does not resolve: \(error)"
        case .connectionRefused:
            "\(server) refuses connections: no key server listens there"
        case .unreachable(let errno):
            "\(server) cannot be reached: \(errno)"
        case .connectTimedOut(let seconds):
            "\(server) did not accept a connection within \(seconds) s"
        case .handshakeTimedOut(let seconds):
            "\(server) did not finish the TLS handshake within \(seconds) s"
        case .plainHTTP:
            "\(server) speaks plain HTTP, not TLS: is this the right port?"
        case .notTLS:
            "\(server) does not speak TLS: is this the right port?"
        case .noCommonVersion:
            "\(server) offers no TLS version this device takes (1.2, 1.3)"
        case .closedInHandshake:
            "\(server) closed the connection during the TLS handshake"
        case .serverCertificate(let fault):
            fault.text(server: server)
        case .clientCertificateRefused(let reason):
            "\(server) refuses this device's certificate: \(reason)"
        case .clientCertificateWanted:
            "\(server) wants a client certificate and got none: give --cert and --key"
        case .alert(let name):
            "\(server) broke off the TLS connection: \(name)"
        case .tls(let reason):
            "the TLS connection to \(server) failed: \(reason)"
        case .answerTimedOut(let seconds):
            "\(server) did not finish its answer within \(seconds) s"
        case .connectionLost(let errno):
            "the connection to \(server) was lost: \(errno)"
        case .closedEarly:
            "\(server) closed the connection before its answer was complete"
        case .notHTTP:
            "\(server) answered something other than HTTP/1.1"
        case .headTooLong:
            "\(server) answered with more than \(UnlockLimits.maximumHeadCount) bytes of headers"
        case .framing:
            "\(server) answered with HTTP that is ambiguous or malformed"
        case .bodyTooLong:
            "\(server) answered with more than \(UnlockLimits.maximumBodyCount) bytes: "
                + "is this a key server?"
        case .body(let status, let error):
            "\(server) answered \(status) with \(error)"
        case .noEndpoint(let status):
            "\(server) has neither /v1/unlock nor /key (\(status)): is this a key server?"
        case .redirect(let status, let origin):
            "\(server) answered \(status), a redirect\(origin.map { " to \($0)" } ?? ""): "
                + "redirects are not followed; give the final address"
        case .status(let status, let reason):
            "\(server) answered \(status)\(reason.isEmpty ? "" : " \(reason)")"
        case .rateLimited:
            "\(server) answered 429: too many requests; waiting as long as it asks"
        case .pending(let code):
            "\(server) waits for a person to approve this device: code \(code)"
        case .noEnrolment(let path, let status):
            "\(server) has no \(path) (\(status)): was it started with --enroll?"
        case .unusableCertificate(let reason):
            "\(server) gave a certificate that is of no use: \(reason)"
        case .refused(let status, _, let detail?):
            "\(server) refuses the key (\(status)): \(detail.message) [\(detail.code)]"
        case .refused(let status, let reason, nil):
            "\(server) refuses the key (\(status)\(reason.isEmpty ? "" : " \(reason)"))"
        }
    }

    /// The failure as whoever started the attempt sees it.
    func fetchError(server: String) -> FetchError {
        switch self {
        case .refused: .refused(message: text(server: server))
        default: .retryable(cause: text(server: server))
        }
    }
}

extension CertificateFault {
    fileprivate func text(server: String) -> String {
        switch self {
        case .expired(let day, let today):
            "the certificate of \(server) expired on \(day) (today is \(today) by the clock here)"
        case .notYetValid(let day, let today):
            "the certificate of \(server) is valid from \(day) only "
                + "(today is \(today) by the clock here)"
        case .wrongHost(let wanted, let found):
            "the certificate of \(server) is not for \(wanted): "
                + (found.isEmpty
                    ? "it names no host" : "it is for \(found.joined(separator: ", "))")
        case .untrusted(let reason, let trustsOwn):
            "the certificate of \(server) is not trusted: \(reason)"
                + (trustsOwn ? " (without --ca, only this device's own certificate is)" : "")
        }
    }
}
