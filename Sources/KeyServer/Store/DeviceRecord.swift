/// What the store knows of a device.
public struct DeviceRecord: Equatable, Sendable {
    /// The store's number for it; survives a change of name.
    public let id: Int

    /// Its name.
    public var name: String

    /// The fleet it belongs to.
    public var fleet: String?

    /// Its tags, sorted.
    public var tags: [String]

    /// When it was added.
    public var addedAt: Timestamp

    /// Since when it gets nothing; `nil` while it is welcome.
    public var revokedAt: Timestamp?

    /// When it last got a key.
    public var seenAt: Timestamp?

    /// When an operator last took a revocation back, or forgave a policy.
    public var restoredAt: Timestamp?

    /// The address it last got a key at.
    public var seenFrom: String?

    /// Describes a device.
    public init(
        id: Int,
        name: String,
        fleet: String? = nil,
        tags: [String] = [],
        addedAt: Timestamp,
        revokedAt: Timestamp? = nil,
        seenAt: Timestamp? = nil,
        restoredAt: Timestamp? = nil,
        seenFrom: String? = nil
    ) {
        self.id = id
        self.name = name
        self.fleet = fleet
        self.tags = tags
        self.addedAt = addedAt
        self.revokedAt = revokedAt
        self.seenAt = seenAt
        self.restoredAt = restoredAt
        self.seenFrom = seenFrom
    }
}

extension DeviceRecord {
    /// The name its releases are counted under.
    var holder: String { "device \(id)" }
}

/// A certificate that was given to a device.
public struct CertificateRecord: Equatable, Sendable {
    /// SHA-256 of the DER form, hexadecimal.
    public var fingerprint: String

    /// Whose it is; `nil` once the device was removed: the certificate itself is remembered, so
    /// that it stays refused.
    public var device: Int?

    /// The certificate, PEM.
    public var pem: String

    /// When it was made, or first known here.
    public var issuedAt: Timestamp

    /// Its last moment by its own word.
    public var notAfter: Timestamp

    /// From when on it is refused.
    public var revokedAt: Timestamp?
}
