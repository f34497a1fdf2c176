public import Cryptography
public import KeyProtocol
internal import Linux

/// Asks a key server for keys.
///
/// Blocks: it belongs into a process of its own, which a signal ends at any moment. Opens no file
/// but those of the system's resolver.
///
/// Protocol: `docs/protocol.md`.
public struct Fetcher: ~Copyable {
    let client: KeyServerClient
    let credentials: Credentials
    private let server: String
    private let memory = Memory()
    private let sleep: (Duration) -> Void

    /// What one attempt leaves for the next.
    private final class Memory {
        /// The endpoint this server was found to have.
        var endpoint = Endpoint.unlock

        /// The token that the server gave in place of ours.
        var token: SecretBytes?

        /// How long the server wants to be left alone.
        var wait: Duration?
    }

    /// Prepares a job.
    ///
    /// - Parameter job: What to ask whom for.
    /// - Throws: ``FetchError/misconfigured(message:)`` where the credentials cannot work.
    public init(job: FetchJob) throws(FetchError) {
        try self.init(job: job, limits: TimeLimits(), sleep: { Readiness.sleep(for: $0) })
    }

    init(
        job: FetchJob,
        limits: TimeLimits,
        sleep: @escaping (Duration) -> Void
    ) throws(FetchError) {
        client = try KeyServerClient(job, limits: limits)
        credentials = job.credentials
        server = job.server.authority
        self.sleep = sleep
    }

    /// The token that came with the keys, in place of the one that was shown; nil where none did.
    public var renewedToken: SecretBytes? { memory.token }

    /// How long the server asked to be left alone at the last attempt.
    var waitAskedFor: Duration? { memory.wait }

    /// Asks once, within time limits.
    ///
    /// `POST /v1/unlock` first, and `GET /key` where the server has no such endpoint; which of them
    /// it has is remembered.
    ///
    /// - Returns: Every key that was asked for.
    /// - Throws: ``FetchError``.
    public borrowing func attempt() throws(FetchError) -> KeyBundle {
        try attempt { () throws(FetchFailure) in
            var answer = try client.ask(memory.endpoint)
            if case .noEndpoint = answer.meaning {
                let other: Endpoint = memory.endpoint == .unlock ? .key : .unlock
                answer = try client.ask(other)
                // A proxy whose server is away says 404 to everything: nothing to remember.
                if case .noEndpoint = answer.meaning {} else { memory.endpoint = other }
            }
            return try keys(of: answer)
        }
    }

    /// Runs an attempt, and words its failure.
    borrowing func attempt<Result>(
        _ body: () throws(FetchFailure) -> Result
    ) throws(FetchError) -> Result {
        memory.wait = nil
        do throws(FetchFailure) {
            return try body()
        } catch {
            throw shown(error)
        }
    }

    /// Asks until the server answers, for ever if need be.
    ///
    /// - Parameters:
    ///   - onChangeOfCause: Called with why no keys have come, when that is another reason than at
    ///     the attempt before.
    ///   - beforeWaiting: Called after every attempt that brought none, with the time until the next.
    /// - Returns: Every key that was asked for.
    /// - Throws: ``FetchError/refused(message:)`` or ``FetchError/misconfigured(message:)``.
    public borrowing func run(
        onChangeOfCause: (String) -> Void,
        beforeWaiting: (Duration) -> Void = { _ in }
    ) throws(FetchError) -> KeyBundle {
        try insist(
            onChangeOfCause: onChangeOfCause,
            beforeWaiting: beforeWaiting
        ) { () throws(FetchError) in try attempt() }
    }

    /// Tries until there is nothing left to hope for.
    borrowing func insist<Result>(
        onChangeOfCause: (String) -> Void,
        beforeWaiting: (Duration) -> Void,
        _ attempt: () throws(FetchError) -> Result
    ) throws(FetchError) -> Result {
        var backoff = Backoff()
        var lastCause: String?
        while true {
            do throws(FetchError) {
                return try attempt()
            } catch .retryable(let cause) {
                if cause != lastCause { onChangeOfCause(cause) }
                lastCause = cause
            } catch {
                throw error
            }
            let wait = memory.wait ?? backoff.next()
            beforeWaiting(wait)
            sleep(wait)
        }
    }

    /// The failure as a person may see it: a server, or a proxy that shows what it was sent, could
    /// repeat the token in its own words.
    private func shown(_ failure: FetchFailure) -> FetchError {
        let error = failure.fetchError(server: server)
        guard client.repeatsToken(error.description) else { return error }
        let text = "\(server) answered in words that repeat the token: they are not shown"
        if case .refused = error { return .refused(message: text) }
        return .retryable(cause: text)
    }

    private func keys(of answer: KeyServerClient.Answer) throws(FetchFailure) -> KeyBundle {
        if case .keys(let keys, _, let token) = answer.meaning {
            if credentials.token != nil { memory.token = token }
            return keys
        }
        throw failure(of: answer)
    }

    /// Why an answer brought nothing; remembers how long the server wants to be left alone.
    borrowing func failure(
        of answer: KeyServerClient.Answer,
        _ endpoint: Endpoint? = nil
    ) -> FetchFailure {
        memory.wait = Self.wait(answer.meaning)
        if let endpoint, case .noEndpoint = answer.meaning {
            return .noEnrolment(path: endpoint.path, status: answer.status)
        }
        return Self.failure(answer)
    }

    /// How long the server wants to be left alone.
    private static func wait(_ meaning: ServerAnswer) -> Duration? {
        switch meaning {
        case .pending(_, let seconds): .seconds(seconds)
        case .rateLimited(let seconds), .unavailable(let seconds):
            seconds.map { Backoff.atLeast($0) }
        case .keys, .certificate, .noEndpoint, .redirect, .unexpected, .refused: nil
        }
    }

    private static func failure(_ answer: KeyServerClient.Answer) -> FetchFailure {
        switch answer.meaning {
        case .pending(let code, _): .pending(code: code)
        case .rateLimited: .rateLimited
        case .noEndpoint: .noEndpoint(status: answer.status)
        case .redirect: .redirect(status: answer.status, origin: answer.origin)
        case .refused(let detail):
            .refused(status: answer.status, reason: answer.reason, detail)
        case .unavailable, .unexpected, .keys, .certificate:
            .status(answer.status, reason: answer.reason)
        }
    }
}

extension KeyServerClient.Answer {
    /// Scheme and host of the URL it redirects to; the rest may hold what is nobody's business.
    fileprivate var origin: String? {
        guard let location, let separator = location.firstRange(of: "://") else { return nil }
        let host = location[separator.upperBound...].prefix { !"/?#".contains($0) }
        guard !host.isEmpty, !host.contains("@") else { return nil }
        return ShownText.make(location[..<separator.upperBound] + host, limit: 100)
    }
}
