public import KeyProtocol
internal import Linux

/// Asks a key server for keys.
///
/// Blocks: it belongs into a process of its own, which a signal ends at any moment. Opens no file
/// but those of the system's resolver.
///
/// Protocol: `docs/protocol.md`.
public struct Fetcher: ~Copyable {
    private let client: KeyServerClient
    private let server: String
    private let memory = Memory()
    private let sleep: (Duration) -> Void

    /// What one attempt leaves for the next.
    private final class Memory {
        /// The endpoint this server was found to have.
        var endpoint = Endpoint.unlock

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
        server = job.server.authority
        self.sleep = sleep
    }

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
        do throws(FetchFailure) {
            memory.wait = nil
            var answer = try client.ask(memory.endpoint)
            if case .noEndpoint = answer.meaning {
                let other: Endpoint = memory.endpoint == .unlock ? .key : .unlock
                answer = try client.ask(other)
                // A proxy whose server is away says 404 to everything: nothing to remember.
                if case .noEndpoint = answer.meaning {} else { memory.endpoint = other }
            }
            return try keys(of: answer)
        } catch {
            throw error.fetchError(server: server)
        }
    }

    /// Asks until the server answers, for ever if need be.
    ///
    /// - Parameter onChangeOfCause: Called with why no keys have come, when that is another reason
    ///   than at the attempt before.
    /// - Returns: Every key that was asked for.
    /// - Throws: ``FetchError/refused(message:)`` or ``FetchError/misconfigured(message:)``.
    public borrowing func run(
        onChangeOfCause: (String) -> Void
    ) throws(FetchError) -> KeyBundle {
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
            sleep(memory.wait ?? backoff.next())
        }
    }

    private func keys(of answer: KeyServerClient.Answer) throws(FetchFailure) -> KeyBundle {
        switch answer.meaning {
        case .keys(let keys, _):
            return keys
        case .pending(let code, let seconds):
            memory.wait = .seconds(seconds)
            throw .pending(code: code)
        case .rateLimited(let seconds):
            memory.wait = seconds.map { Backoff.atLeast($0) }
            throw .rateLimited
        case .unavailable(let seconds):
            memory.wait = seconds.map { Backoff.atLeast($0) }
            throw .status(answer.status, reason: answer.reason)
        case .noEndpoint:
            throw .noEndpoint(status: answer.status)
        case .redirect:
            throw .redirect(
                status: answer.status,
                origin: answer.location.flatMap { Self.origin($0) }
            )
        case .unexpected:
            throw .status(answer.status, reason: answer.reason)
        case .refused(let detail):
            throw .refused(status: answer.status, reason: answer.reason, detail)
        }
    }

    /// Scheme and host of an absolute URL; the rest may hold what is nobody's business.
    private static func origin(_ location: String) -> String? {
        guard let separator = location.firstRange(of: "://") else { return nil }
        let host = location[separator.upperBound...].prefix { !"/?#".contains($0) }
        guard !host.isEmpty, !host.contains("@") else { return nil }
        return ShownText.make(location[..<separator.upperBound] + host, limit: 100)
    }
}
