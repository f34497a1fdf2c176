public import Cryptography
internal import JSONText

/// What a key server answered, told apart by what a device does next.
///
/// Protocol: `docs/protocol.md`, "Answers".
public enum ServerAnswer: Sendable {
    /// The keys that were asked for, for how many seconds they are lent, if not for ever, and a token
    /// in place of the one that was shown, if there is one.
    case keys(KeyBundle, lease: Int?, token: SecretBytes?)

    /// A certificate, of ``Endpoint/enroll`` and ``Endpoint/renew``.
    case certificate(CertificateAnswer)

    /// A person has to approve; to be asked again after so many seconds.
    case pending(code: String, pollAfter: Int)

    /// Too many requests; to be asked again after so many seconds, if the server said.
    case rateLimited(retryAfter: Int?)

    /// The server, or a proxy before it, cannot answer now; seconds as above.
    case unavailable(retryAfter: Int?)

    /// There is no such endpoint: 404 or 405.
    case noEndpoint

    /// A redirect, which is not followed: it would take credentials where nobody configured it.
    case redirect

    /// A status the protocol gives no meaning to.
    case unexpected

    /// No, and asking again will not help. The detail is the server's own, fit to be shown.
    case refused(RefusalDetail?)

    /// Why a server refuses, in its own words.
    public struct RefusalDetail: Sendable, Equatable {
        /// A word for programs, such as `device_revoked`.
        public let code: String

        /// A sentence for people.
        public let message: String

        /// Takes both as they are.
        public init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    /// Reads an answer.
    ///
    /// The media type is not looked at: a proxy or a static server may call JSON `text/plain`.
    ///
    /// - Parameters:
    ///   - status: 100...999.
    ///   - retryAfter: The value of `Retry-After`, if there is one. A date is passed over.
    ///   - body: What came after the head, without transfer coding.
    ///   - endpoint: What was asked.
    ///   - wanted: The names of the keys that were asked for; others are not kept.
    ///   - identifiers: The ids of older generations that were asked for; those there are go into
    ///     the bundle under their ids.
    /// - Throws: ``WireError`` where the body of a status that promises something does not hold it.
    public init(
        status: Int,
        retryAfter: String?,
        body: SecretBytes,
        endpoint: Endpoint,
        wanted: [String],
        identifiers: [String] = []
    ) throws(WireError) {
        let seconds = Self.seconds(retryAfter)
        switch (status, endpoint) {
        case (200, .enroll), (200, .renew):
            self = .certificate(try CertificateAnswer(decoding: body))
        case (200, _), (201, _):
            self = try Self.keys(body, wanted, identifiers, endpoint)
        case (202, .unlock):
            self = try Self.pending(body)
        case (300..<400, _):
            self = .redirect
        case (404, _), (405, _):
            self = .noEndpoint
        case (429, _):
            self = .rateLimited(retryAfter: seconds)
        case (408, _), (425, _), (500..<600, _):
            self = .unavailable(retryAfter: seconds)
        case (400..<500, _):
            self = .refused(Self.detail(body))
        default:
            self = .unexpected
        }
    }

    private static func keys(
        _ body: SecretBytes,
        _ wanted: [String],
        _ identifiers: [String],
        _ endpoint: Endpoint
    ) throws(WireError) -> ServerAnswer {
        let root = try root(of: body)
        // A static server in the original's place may say the same whatever it is asked.
        if endpoint == .key || !root.has("keys") && root.has("password") {
            return try password(root, wanted)
        }
        let keys = try json { () throws(JSONError) in
            guard let keys = try root.object("keys") else { throw .missing(member: "keys") }
            return keys
        }
        let generations = try json { () throws(JSONError) in try root.object("generations") }
        var bundle = KeyBundle()
        for name in wanted where bundle[name] == nil {
            let text = try json { () throws(JSONError) in try keys.secret(name) }
            guard let text else { throw .missingKey(name: name) }
            try bundle.add(text, as: name)
            let older = try json { () throws(JSONError) in try generations?.secrets(name) ?? [] }
            for text in older { try bundle.addOlderGeneration(text, of: name) }
        }
        let older = try json { () throws(JSONError) in try root.object("older") }
        for id in identifiers where bundle.generatedKey(id: id) == nil && bundle[id] == nil {
            let text = try json { () throws(JSONError) in try older?.secret(id) }
            if let text { try bundle.add(text, as: id) }
        }
        let lease = try json { () throws(JSONError) in
            let lease = try root.integer("lease")
            if let lease, lease < 0 { throw .invalid(member: "lease") }
            return lease
        }
        let token = try json { () throws(JSONError) in
            let token = try root.secret("token")
            guard token.map(isToken) != false else { throw .invalid(member: "token") }
            return token
        }
        // 0 is "for ever", as is no lease at all.
        return .keys(bundle, lease: lease == 0 ? nil : lease, token: token)
    }

    /// Whether a text can stand in a header and in a file of one line.
    private static func isToken(_ text: SecretBytes) -> Bool {
        (1...DeviceToken.maximumCount).contains(text.count)
            && text.withUnsafeBytes { $0.allSatisfy { (0x21...0x7E).contains($0) } }
    }

    private static func password(
        _ root: JSONObject,
        _ wanted: [String]
    ) throws(WireError) -> ServerAnswer {
        let password = try json { () throws(JSONError) in
            guard let password = try root.secret("password") else {
                throw .missing(member: "password")
            }
            return password
        }
        if let other = wanted.first(where: { $0 != KeyBundle.defaultName }) {
            throw .missingKey(name: other)
        }
        var bundle = KeyBundle()
        try bundle.add(password, as: KeyBundle.defaultName)
        return .keys(bundle, lease: nil, token: nil)
    }

    private static func pending(_ body: SecretBytes) throws(WireError) -> ServerAnswer {
        let root = try root(of: body)
        let (code, pollAfter) = try json { () throws(JSONError) in
            guard let code = try root.text("code", limit: UnlockLimits.maximumShownCount) else {
                throw .missing(member: "code")
            }
            guard let pollAfter = try root.integer("poll_after") else {
                throw .missing(member: "poll_after")
            }
            return (code, pollAfter)
        }
        return .pending(
            code: ShownText.make(code, limit: 64),
            pollAfter: min(
                max(pollAfter, UnlockLimits.pollAfter.lowerBound),
                UnlockLimits.pollAfter.upperBound
            )
        )
    }

    private static func root(of body: SecretBytes) throws(WireError) -> JSONObject {
        try json { () throws(JSONError) in
            guard let root = try JSONDocument(body).root else { throw .notJSON(offset: 0) }
            return root
        }
    }

    /// A refusal stands whatever its body holds.
    private static func detail(_ body: SecretBytes) -> RefusalDetail? {
        let limit = UnlockLimits.maximumBodyCount
        guard let root = try? JSONDocument(body).root, let error = try? root.object("error"),
            let code = try? error.text("code", limit: limit),
            let message = try? error.text("message", limit: limit)
        else { return nil }
        return RefusalDetail(
            code: ShownText.make(code, limit: 64),
            message: ShownText.make(message)
        )
    }

    private static func seconds(_ text: String?) -> Int? {
        guard let text, let seconds = Int(text), seconds >= 0 else { return nil }
        return min(
            max(seconds, UnlockLimits.retryAfter.lowerBound),
            UnlockLimits.retryAfter.upperBound
        )
    }
}

extension KeyBundle {
    fileprivate mutating func add(_ text: SecretBytes, as name: String) throws(WireError) {
        do throws(KeyFormatError) {
            try add(try StoreKey(text), named: name)
        } catch {
            throw .malformedKey(name: name, error)
        }
    }

    fileprivate mutating func addOlderGeneration(
        _ text: SecretBytes,
        of name: String
    ) throws(WireError) {
        do throws(KeyFormatError) {
            try addOlderGeneration(try StoreKey(text))
        } catch {
            throw .malformedKey(name: name, error)
        }
    }
}
