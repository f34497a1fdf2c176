public import AccessRules

/// What a device asks for, and what is known of it.
public struct ReleaseRequest: Equatable, Sendable {
    /// The device's name, from its certificate: the only name that counts.
    public var device: String

    /// SHA-256 of its certificate, hexadecimal: what the store knows it by.
    public var fingerprint: String

    /// Ties the decision to the log; see ``RequestIdentifier``.
    public var id: String?

    /// The name it gave itself in the request, for the log only.
    public var claimedDevice: String?

    /// Where the connection came from; `nil` where the kernel could not say.
    public var address: IPAddress?

    /// The names of the wanted keys, in the order asked, without repetition.
    public var keyNames: [String]

    /// The ids of older generations that it still needs.
    public var identifiers: Set<String>

    /// The names of wanted keys of which it needs every generation.
    public var generations: Set<String>

    /// Describes a request.
    ///
    /// - Parameters:
    ///   - device: From the certificate.
    ///   - fingerprint: The certificate's.
    ///   - claimedDevice: From the request.
    ///   - address: The peer's.
    ///   - keyNames: Repeated names count once.
    ///   - identifiers: From the request: of older generations.
    ///   - generations: From the request: names of wanted keys.
    ///   - id: Ties the decision to the log.
    public init(
        device: String,
        fingerprint: String = "",
        claimedDevice: String? = nil,
        address: IPAddress?,
        keyNames: [String],
        identifiers: [String] = [],
        generations: [String] = [],
        id: String? = nil
    ) {
        self.id = id
        self.device = device
        self.fingerprint = fingerprint
        self.claimedDevice = claimedDevice
        self.address = address
        self.identifiers = Set(identifiers)
        self.generations = Set(generations)
        var seen: Set<String> = []
        self.keyNames = keyNames.filter { seen.insert($0).inserted }
    }
}
