internal import Cryptography
internal import KeyProtocol

/// One device's way of asking one key server.
struct KeyServerClient: ~Copyable {
    private let job: FetchJob
    private let keyNames: [String]
    private let context: TLSContext
    private let limits: TimeLimits
    /// For a certificate, where one may be asked for.
    private let signingRequest: String?
    /// Whether the certificate has lived two thirds of its time.
    let renewalIsDue: Bool

    /// What a server answered, with what a message about it needs.
    struct Answer {
        let status: Int
        let reason: String
        let location: String?
        let meaning: ServerAnswer
    }

    /// Checks the job and loads its credentials.
    ///
    /// - Throws: ``FetchError/misconfigured(message:)``.
    init(_ job: FetchJob, limits: TimeLimits) throws(FetchError) {
        let keyNames = job.keyNames.isEmpty ? [KeyBundle.defaultName] : job.keyNames
        guard keyNames.count <= UnlockLimits.maximumKeys else {
            throw .misconfigured(
                message: "\(keyNames.count) keys are asked for, at most "
                    + "\(UnlockLimits.maximumKeys) can be"
            )
        }
        if let token = job.credentials.token, !HTTPRequest.isToken(token) {
            throw .misconfigured(
                message: "the token (--token-file or STORE_TOKEN) holds characters that a token "
                    + "cannot have: it is one line of ASCII without spaces"
            )
        }
        let context = try TLSContext(job.credentials)
        let renewalIsDue =
            if job.renews, let pem = job.credentials.certificate {
                try PEMCertificates(pem, name: UsableCredentials.certificateName).isPastTwoThirds
            } else {
                false
            }
        let signingRequest: String? =
            if renewalIsDue || job.credentials.enrolmentToken != nil,
                let pem = job.credentials.privateKey
            {
                try DeviceKey(pem: pem).signingRequest()
            } else {
                nil
            }
        self.keyNames = keyNames
        self.context = context
        self.renewalIsDue = renewalIsDue
        self.signingRequest = signingRequest
        self.job = job
        self.limits = limits
    }

    /// Connects, asks, and closes.
    ///
    /// - Parameter endpoint: What to ask.
    /// - Returns: Whatever the server said.
    /// - Throws: ``FetchFailure`` where it said nothing that is of use.
    func ask(_ endpoint: Endpoint) throws(FetchFailure) -> Answer {
        var connection = try TLSConnection.open(
            context,
            server: job.server,
            credentials: job.credentials,
            within: limits
        )
        let answer = try connection.exchange(
            HTTPRequest.text(
                endpoint,
                job,
                keyNames: keyNames,
                signingRequest: signingRequest
            ),
            for: limits.answer
        )
        connection.sayGoodbye()
        return try interpret(answer, endpoint)
    }

    /// Whether a text holds the token, or as much of it as matters.
    ///
    /// Tokens of less than 8 characters are no secrets, and are found in any text.
    func repeatsToken(_ text: String) -> Bool {
        guard let token = job.credentials.enrolmentToken ?? job.credentials.token else {
            return false
        }
        return token.withUnsafeBytes { token in
            let start = token.prefix { $0 > 0x20 }.prefix(16)
            let text = Array(text.utf8)
            return start.count >= 8 && text.indices.contains { text[$0...].starts(with: start) }
        }
    }

    private func interpret(
        _ answer: borrowing HTTPAnswer,
        _ endpoint: Endpoint
    ) throws(FetchFailure) -> Answer {
        guard let head = answer.head else { throw .closedEarly }
        let body = answer.copyBody()
        // Proxies check certificates late and tell their verdict as a page: nginx in these words.
        if head.status == 400, body.contains("No required SSL certificate was sent") {
            throw .clientCertificateWanted
        }
        if head.status == 400, body.contains("The SSL certificate error") {
            throw .clientCertificateRefused(reason: "400 The SSL certificate error")
        }
        do throws(WireError) {
            return Answer(
                status: head.status,
                reason: head.reason,
                location: head.location,
                meaning: try ServerAnswer(
                    status: head.status,
                    retryAfter: head.retryAfter,
                    body: body,
                    endpoint: endpoint,
                    wanted: keyNames,
                    identifiers: job.identifiers
                )
            )
        } catch {
            throw .body(status: head.status, error)
        }
    }
}

extension SecretBytes {
    fileprivate func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return withUnsafeBytes { bytes in
            bytes.indices.contains { bytes[$0...].starts(with: wanted) }
        }
    }
}
