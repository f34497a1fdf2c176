internal import Cryptography
internal import KeyProtocol
internal import Linux

/// One device's way of asking one key server.
struct KeyServerClient: ~Copyable {
    private let job: FetchJob
    private let keyNames: [String]
    private let context: TLSContext
    private let limits: TimeLimits

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
        keyNames = job.keyNames.isEmpty ? [KeyBundle.defaultName] : job.keyNames
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
        context = try TLSContext(job.credentials)
        self.job = job
        self.limits = limits
    }

    /// Connects, asks, and closes.
    ///
    /// - Parameter endpoint: What to ask.
    /// - Returns: Whatever the server said.
    /// - Throws: ``FetchFailure`` where it said nothing that is of use.
    func ask(_ endpoint: Endpoint) throws(FetchFailure) -> Answer {
        var connection = try TLSConnection(
            context,
            server: job.server,
            socket: try connect(),
            credentials: job.credentials
        )
        try connection.handshake(for: limits.handshake)
        let answer: HTTPAnswer
        do throws(TLSConnection.Interruption) {
            answer = try exchange(endpoint, over: &connection)
        } catch {
            switch error {
            case .timedOut: throw .answerTimedOut(seconds: limits.answer.shownSeconds)
            case .ended: throw .closedEarly
            case .lost(let errno): throw .connectionLost(errno)
            case .failed(let failure): throw failure
            }
        }
        connection.sayGoodbye()
        return try interpret(answer, endpoint)
    }

    /// Whether a text holds the token, or as much of it as matters.
    ///
    /// Tokens of less than 8 characters are no secrets, and are found in any text.
    func repeatsToken(_ text: String) -> Bool {
        guard let token = job.credentials.token else { return false }
        return token.withUnsafeBytes { token in
            let start = token.prefix { $0 > 0x20 }.prefix(16)
            let text = Array(text.utf8)
            return start.count >= 8 && text.indices.contains { text[$0...].starts(with: start) }
        }
    }

    /// Every address in turn, each with its share of the time that is left.
    private func connect() throws(FetchFailure) -> StreamSocket {
        let addresses: [InternetAddress]
        do throws(ResolverError) {
            addresses = try InternetAddress.resolve(host: job.server.host, port: job.server.port)
        } catch {
            throw .nameDoesNotResolve(error)
        }
        let deadline = ContinuousClock.now.advanced(by: limits.connect)
        var failure = FetchFailure.connectionRefused
        for (index, address) in addresses.enumerated() {
            let left = ContinuousClock.now.duration(to: deadline)
            let share = left / (addresses.count - index)
            do throws(Errno) {
                return try StreamSocket(connectingTo: address, until: .now.advanced(by: share))
            } catch {
                // An address of a family this host has not is no news about the server.
                let isForeign = [
                    .networkUnreachable, .addressNotAvailable, .addressFamilyNotSupported,
                ].contains(error)
                if index == 0 || !isForeign { failure = explain(error) }
            }
        }
        throw failure
    }

    private func explain(_ errno: Errno) -> FetchFailure {
        switch errno {
        case .connectionRefused: .connectionRefused
        case .timedOut: .connectTimedOut(seconds: limits.connect.shownSeconds)
        default: .unreachable(errno)
        }
    }

    /// Sends the request and reads the answer to its end.
    private func exchange(
        _ endpoint: Endpoint,
        over connection: inout TLSConnection
    ) throws(TLSConnection.Interruption) -> HTTPAnswer {
        let deadline = ContinuousClock.now.advanced(by: limits.answer)
        let request = HTTPRequest.text(endpoint, job, keyNames: keyNames)
        try request.withUnsafeBytes { bytes throws(TLSConnection.Interruption) in
            try connection.write(bytes, until: deadline)
        }
        var answer = HTTPAnswer()
        var window = SecretBuffer(capacity: 16_384)
        do throws(TLSConnection.Interruption) {
            while !answer.isComplete {
                window.removeAll()
                let count = try connection.read(into: &window, until: deadline)
                try parsing { () throws(FetchFailure) in
                    guard count > 0 else { return try answer.finish() }
                    try window.withUnsafeBytes { bytes throws(FetchFailure) in
                        try answer.consume(bytes)
                    }
                }
            }
        } catch {
            // What an error says beside its status is a courtesy: without it, the status counts.
            guard let status = answer.head?.status, !(200..<300).contains(status) else {
                throw error
            }
        }
        return answer
    }

    private func parsing(
        _ body: () throws(FetchFailure) -> Void
    ) throws(TLSConnection.Interruption) {
        do throws(FetchFailure) {
            try body()
        } catch {
            throw .failed(error)
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
