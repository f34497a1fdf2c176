public import Cryptography
internal import KeyProtocol

/// A way of asking an HTTPS server that is no key server: one request a connection, as
/// ``KeyServerClient`` does it.
public struct HTTPSClient: ~Copyable {
    /// Whom it asks, as `host:port`.
    public let name: String

    private let server: ServerAddress
    private let credentials: Credentials
    private let context: TLSContext
    private let agent: String
    private let bodyLimit: Int
    private let limits: TimeLimits

    /// What a server answered.
    public struct Answer: Sendable {
        /// The status, 200 to 599.
        public let status: Int

        /// The status in the server's words, fit to be shown; perhaps empty.
        public let reason: String

        /// The value of `Retry-After`.
        public let retryAfter: String?

        /// Without transfer coding; perhaps cut to nothing where the status is an error's.
        public let body: SecretBytes
    }

    /// Why there is no answer, for a person to read.
    public enum Failure: Error, Equatable, Sendable {
        /// It may work in a moment.
        case passing(String)

        /// It will not work before somebody has changed something.
        case lasting(String)
    }

    /// Loads what is trusted; nothing is sent.
    ///
    /// - Parameters:
    ///   - server: Whom to ask.
    ///   - authorities: The certificates the server's has to lead to one of, PEM.
    ///   - token: What goes into `Authorization: Bearer`; a line's end behind it is left off.
    ///   - agent: What goes into `User-Agent`.
    ///   - bodyLimit: The longest body of an answer, in bytes.
    ///   - answerLimit: How long an answer may take.
    /// - Throws: ``FetchError/misconfigured(message:)``.
    public init(
        server: ServerAddress,
        authorities: SecretBytes,
        token: SecretBytes,
        agent: String,
        bodyLimit: Int,
        answerLimit: Duration
    ) throws(FetchError) {
        var credentials = Credentials()
        credentials.authority = authorities
        credentials.token = token
        context = try TLSContext(credentials)
        self.credentials = credentials
        self.server = server
        self.agent = agent
        self.bodyLimit = bodyLimit
        name = server.authority
        limits = TimeLimits(answer: answerLimit)
    }

    /// Whether a token can stand in a request: one line of visible ASCII.
    public static func isToken(_ token: SecretBytes) -> Bool { HTTPRequest.isToken(token) }

    /// Connects, asks, and closes.
    ///
    /// - Parameters:
    ///   - method: As `GET`.
    ///   - target: Path and query, percent-encoded; the address's own path goes before it.
    ///   - body: JSON.
    /// - Returns: Whatever the server said.
    /// - Throws: ``Failure``.
    public borrowing func send(
        _ method: String,
        _ target: String,
        body: SecretBytes? = nil
    ) throws(Failure) -> Answer {
        do throws(FetchFailure) {
            var connection = try TLSConnection.open(
                context,
                server: server,
                credentials: credentials,
                within: limits
            )
            let request = HTTPRequest.text(
                method,
                target,
                server: server,
                token: credentials.token,
                agent: agent,
                body: body
            )
            let answer = try connection.exchange(
                request,
                for: limits.answer,
                bodyLimit: bodyLimit
            )
            connection.sayGoodbye()
            guard let head = answer.head else { throw .closedEarly }
            return Answer(
                status: head.status,
                reason: head.reason,
                retryAfter: head.retryAfter,
                body: answer.copyBody()
            )
        } catch {
            throw explain(error)
        }
    }

    private borrowing func explain(_ failure: FetchFailure) -> Failure {
        switch failure {
        case .connectionRefused:
            .passing("\(name) refuses connections")
        case .bodyTooLong:
            .lasting("\(name) answered with more than \(bodyLimit) bytes")
        case .unreachable, .connectTimedOut, .handshakeTimedOut, .closedInHandshake, .alert, .tls,
            .answerTimedOut, .connectionLost, .closedEarly:
            .passing(failure.text(server: name))
        default:
            .lasting(failure.text(server: name))
        }
    }
}
