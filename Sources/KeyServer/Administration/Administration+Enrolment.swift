internal import AccessRules
internal import Cryptography
public import KeyProtocol

/// What one-time tokens are good for.
public struct NewEnrolment: Equatable, Sendable {
    /// Which name the devices get.
    public var name: EnrolmentName

    /// The fleet they belong to.
    public var fleet: Label?

    /// Their tags.
    public var tags: [Label]

    /// How many devices may use it.
    public var uses: Int

    /// For how many seconds it is good.
    public var lifetime: Int

    /// For how many days their certificates are valid.
    public var days: Int

    /// Whether it takes the place of a device's certificates where there is one of the name.
    public var replaces: Bool

    /// Describes tokens.
    public init(
        name: EnrolmentName,
        fleet: Label? = nil,
        tags: [Label] = [],
        uses: Int = 1,
        lifetime: Int = 86_400,
        days: Int = 365,
        replaces: Bool = false
    ) {
        self.name = name
        self.fleet = fleet
        self.tags = tags
        self.uses = uses
        self.lifetime = lifetime
        self.days = days
        self.replaces = replaces
    }
}

extension Administration {
    /// Makes a one-time token, of which the store keeps the hash.
    ///
    /// - Parameters:
    ///   - enrolment: What it is good for.
    ///   - deliver: Takes the token; where it fails, nothing has happened.
    /// - Returns: The token, and until when it is good.
    /// - Throws: ``KeyServerError``; ``KeyServerError/deviceExists(_:)`` for the name of a device
    ///   whose certificates it shall not replace.
    public func addEnrolmentToken(
        _ enrolment: NewEnrolment,
        deliver: (EnrolmentToken) throws(KeyServerError) -> Void = { _ in }
    ) throws(KeyServerError) -> (token: EnrolmentToken, record: EnrolmentTokenRecord) {
        let token = EnrolmentToken(authority: try state.authorityDigest())
        return try perform("enroll-token.new") { store, now throws(KeyServerError) in
            if enrolment.name.isFixed, !enrolment.replaces,
                try store.device(named: enrolment.name.text) != nil
            {
                throw .deviceExists(enrolment.name.text)
            }
            let record = EnrolmentTokenRecord(
                id: token.id,
                hash: token.hash,
                name: enrolment.name.text,
                fleet: enrolment.fleet?.text,
                tags: Set(enrolment.tags.map(\.text)).sorted(),
                replaces: enrolment.replaces,
                days: enrolment.days,
                maximum: enrolment.uses,
                uses: 0,
                next: 1,
                createdAt: now,
                expiresAt: Timestamp(milliseconds: now.milliseconds + enrolment.lifetime * 1000),
                endedAt: nil
            )
            try store.insert(record)
            try deliver(token)
            return (
                (token, record),
                [
                    "token": .text(token.id), "device": .text(enrolment.name.text),
                    "uses": .number(enrolment.uses), "until": .text("\(record.expiresAt)"),
                    "fleet": record.fleet.map { .text($0) },
                    "tags": record.tags.isEmpty ? nil : .list(record.tags),
                ]
            )
        }
    }

    /// Ends a one-time token, from this moment on; devices that have used it keep what they got.
    ///
    /// - Throws: ``KeyServerError/noToken(_:)``, ``KeyServerError/storage(reason:)``.
    public func revokeEnrolmentToken(_ id: String) throws(KeyServerError) {
        try perform("enroll-token.revoke") { store, now throws(KeyServerError) in
            guard var token = try store.enrolmentToken(id: id) else { throw .noToken(id) }
            token.endedAt = token.endedAt ?? now
            try store.update(token)
            return ((), ["token": .text(id)])
        }
    }

    /// Every one-time token, the latest first.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func listEnrolmentTokens() throws(KeyServerError) -> [EnrolmentTokenRecord] {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.enrolmentTokens()
        }
    }
}
