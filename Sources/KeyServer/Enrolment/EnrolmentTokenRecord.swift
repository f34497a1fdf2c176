/// What the store knows of a one-time token: its hash, and what it is good for.
public struct EnrolmentTokenRecord: Equatable, Sendable {
    /// 16 hexadecimal digits; no secret.
    public var id: String

    /// SHA-256 of its text.
    public var hash: [UInt8]

    /// Which name its devices get.
    public var name: String

    /// The fleet they belong to.
    public var fleet: String?

    /// Their tags, sorted.
    public var tags: [String]

    /// Whether it takes the place of a device's certificates where there is one of the name.
    public var replaces: Bool

    /// For how many days their certificates are valid.
    public var days: Int

    /// How many devices may use it.
    public var maximum: Int

    /// How many have.
    public var uses: Int

    /// The number the next name gets.
    public var next: Int

    /// Since when it is good.
    public var createdAt: Timestamp

    /// Until when it is.
    public var expiresAt: Timestamp

    /// When it was revoked, or first found to have expired.
    public var endedAt: Timestamp?

    /// What it is at a moment: `active`, `used`, `expired`, `ended`.
    public func status(at time: Timestamp) -> String {
        if endedAt != nil { return "ended" }
        if time.milliseconds >= expiresAt.milliseconds { return "expired" }
        return uses >= maximum ? "used" : "active"
    }
}

/// One-time tokens, and which certificates were given for them.
public protocol EnrolmentStorage {
    /// The token of that id.
    func enrolmentToken(id: String) throws(KeyServerError) -> EnrolmentTokenRecord?

    /// Every token, the latest first.
    func enrolmentTokens() throws(KeyServerError) -> [EnrolmentTokenRecord]

    /// Adds a token.
    func insert(_ token: EnrolmentTokenRecord) throws(KeyServerError)

    /// Replaces how often a token was used, its next number, and its end.
    func update(_ token: EnrolmentTokenRecord) throws(KeyServerError)

    /// The fingerprint of the certificate that a public key was given for a token.
    ///
    /// - Parameters:
    ///   - token: The token's id.
    ///   - key: SHA-256 of the public key, hexadecimal.
    /// - Returns: `nil` where the key has not enrolled with it.
    /// - Throws: ``KeyServerError/storage(reason:)``.
    func enrolment(token: String, key: String) throws(KeyServerError) -> String?

    /// Notes the certificate that a public key was given for a token.
    func insertEnrolment(
        token: String,
        key: String,
        certificate: String
    ) throws(KeyServerError)
}
