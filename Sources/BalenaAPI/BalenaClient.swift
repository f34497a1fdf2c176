public import Cryptography
internal import JSONText
public import KeySources

/// One person's way of asking balena's API: one request after the other, not too many a second,
/// and again where that may help.
public struct BalenaClient: ~Copyable {
    /// The API's address where none is given.
    public static let defaultAddress = "https://api.balena-cloud.com"

    /// The most requests a second: balena's SDKs show 300 a minute in their examples.
    ///
    /// The API's own limits are not published.
    public static let defaultRate = 5

    /// How often a request is tried.
    static let attempts = 8

    /// Longest wait that the API is granted, in seconds.
    static let longestWait = 900

    /// Longest answer, in bytes: sixteen of the longest values, escaped.
    static let bodyLimit = 2 << 20

    private let https: HTTPSClient
    private let report: (String) -> Void
    private var pace: RequestPace

    /// How many requests were made.
    public private(set) var requestCount = 0

    /// Prepares; nothing is sent.
    ///
    /// - Parameters:
    ///   - address: Where the API is.
    ///   - authorities: The certificates trusted to name it, PEM.
    ///   - token: An access token or API key.
    ///   - agent: Who asks, as `secure-store/1.0.0`.
    ///   - rate: The most requests a second.
    ///   - answerLimit: How long an answer may take.
    ///   - report: Is given a line for every wait that a person would wonder about.
    /// - Throws: ``BalenaError/misconfigured(message:)``.
    public init(
        address: ServerAddress,
        authorities: SecretBytes,
        token: SecretBytes,
        agent: String,
        rate: Int,
        answerLimit: Duration,
        report: @escaping (String) -> Void
    ) throws(BalenaError) {
        guard HTTPSClient.isToken(token) else {
            throw .misconfigured(
                message: "balena's token is one line of letters, digits and signs: this is not one"
            )
        }
        do throws(FetchError) {
            https = try HTTPSClient(
                server: address,
                authorities: authorities,
                token: token,
                agent: agent,
                bodyLimit: Self.bodyLimit,
                answerLimit: answerLimit
            )
        } catch {
            throw .misconfigured(message: "\(error)")
        }
        pace = RequestPace(perSecond: rate)
        self.report = report
    }

    // MARK: Requests

    /// Reads entries.
    ///
    /// - Parameters:
    ///   - query: Which, and which fields of them.
    ///   - what: What they are about, for messages.
    /// - Returns: The entries, each an object.
    /// - Throws: ``BalenaError``.
    mutating func read(_ query: ODataQuery, _ what: String) throws(BalenaError) -> [JSONObject] {
        let answer = try send("GET", query, nil, what)
        switch answer.status {
        case 200: break
        case 401, 403: throw .tokenRefused
        case 404: throw .noAPI(server: https.name)
        default: throw .rejected(what: what, status: answer.status, reason: answer.reason)
        }
        do throws(JSONError) {
            let document = try JSONDocument(answer.body, limit: Self.bodyLimit)
            guard let entries = try document.root?.objects("d") else { throw .missing(member: "d") }
            return entries
        } catch {
            throw .answer(what: what, cause: "\(error)")
        }
    }

    /// Makes an entry.
    ///
    /// - Parameters:
    ///   - query: The resource.
    ///   - body: Its fields.
    ///   - what: What it is, for messages.
    /// - Returns: False where there is one already that it would not differ enough from.
    /// - Throws: ``BalenaError``.
    mutating func create(
        _ query: ODataQuery,
        _ body: SecretBytes,
        _ what: String
    ) throws(BalenaError) -> Bool {
        let answer = try send("POST", query, body, what)
        guard answer.status != 409 else { return false }
        try check(answer, what)
        return true
    }

    /// Changes an entry.
    ///
    /// - Parameters:
    ///   - query: The resource and the entry's number.
    ///   - body: The fields that change.
    ///   - what: What it is, for messages.
    /// - Returns: False where it is gone.
    /// - Throws: ``BalenaError``.
    mutating func change(
        _ query: ODataQuery,
        _ body: SecretBytes,
        _ what: String
    ) throws(BalenaError) -> Bool {
        let answer = try send("PATCH", query, body, what)
        guard answer.status != 404 else { return false }
        try check(answer, what)
        return true
    }

    private func check(_ answer: HTTPSClient.Answer, _ what: String) throws(BalenaError) {
        switch answer.status {
        case 200..<300: return
        case 401, 403: throw .writeRefused(what: what, status: answer.status)
        case 404: throw .noAPI(server: https.name)
        default: throw .rejected(what: what, status: answer.status, reason: answer.reason)
        }
    }

    // MARK: Patience

    /// Sends a request until it is answered with something other than "not now".
    ///
    /// Every request can be repeated: reading and changing change nothing the second time, and
    /// making what is there already is answered with 409.
    private mutating func send(
        _ method: String,
        _ query: ODataQuery,
        _ body: SecretBytes?,
        _ what: String
    ) throws(BalenaError) -> HTTPSClient.Answer {
        var backoff = Backoff()
        var cause = ""
        for attempt in 1...Self.attempts {
            pace.wait()
            requestCount += 1
            var wait = backoff.next()
            switch ask(method, query, body) {
            case .success(let answer) where answer.status == 429 || answer.status >= 500:
                cause = "\(https.name) answered \(answer.status) \(answer.reason)"
                guard let seconds = answer.retryAfter.flatMap({ Int($0) }) else { break }
                guard seconds <= Self.longestWait else { throw .rateLimited(seconds: seconds) }
                wait = Backoff.atLeast(max(seconds, 0))
            case .success(let answer):
                return answer
            case .failure(.passing(let text)):
                cause = text
            case .failure(.lasting(let text)):
                throw .connection(cause: text)
            }
            guard attempt < Self.attempts else { break }
            if wait >= .seconds(2) {
                report("\(what): \(cause); the next attempt in \(wait.components.seconds) s")
            }
            RequestPace.sleep(wait)
        }
        throw .gaveUp(attempts: Self.attempts, cause: cause)
    }

    private func ask(
        _ method: String,
        _ query: ODataQuery,
        _ body: SecretBytes?
    ) -> Result<HTTPSClient.Answer, HTTPSClient.Failure> {
        do throws(HTTPSClient.Failure) {
            return .success(try https.send(method, query.target, body: body))
        } catch {
            return .failure(error)
        }
    }
}
