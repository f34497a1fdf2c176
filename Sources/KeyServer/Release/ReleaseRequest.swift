public import AccessRules
public import KeyProtocol

/// What a device asks for, and what is known of it.
public struct ReleaseRequest: Equatable, Sendable {
    /// The device's name, from its certificate: the only name that counts.
    public var device: String

    /// SHA-256 of its certificate, hexadecimal: what the store knows it by; empty with a token.
    public var fingerprint: String

    /// Ties the decision to the log; see ``RequestIdentifier``.
    public var id: String?

    /// What it showed in place of a certificate; its signature is good.
    public var token: TokenClaims?

    /// The name it gave itself in the request, for the log only.
    public var claimedDevice: String?

    /// Where the connection came from; `nil` where the kernel could not say.
    public var address: IPAddress?

    /// The names of the wanted keys, in the order asked, without repetition.
    public var keyNames: [String]

    /// Whether it showed a certificate that every device of a fleet has.
    var isLegacy = false

    /// Whether the answer has room for another token.
    var takesToken = false

    /// The ids of older generations that it still needs.
    public var identifiers: Set<String>

    /// The names of wanted keys of which it needs every generation.
    public var generations: Set<String>

    /// Describes a request.
    ///
    /// - Parameters:
    ///   - device: From the certificate.
    ///   - fingerprint: The certificate's.
    ///   - token: Shown in place of a certificate, and genuine.
    ///   - claimedDevice: From the request.
    ///   - address: The peer's.
    ///   - keyNames: Repeated names count once.
    ///   - identifiers: From the request: of older generations.
    ///   - generations: From the request: names of wanted keys.
    ///   - id: Ties the decision to the log.
    public init(
        device: String,
        fingerprint: String = "",
        token: TokenClaims? = nil,
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
        self.token = token
        self.claimedDevice = claimedDevice
        self.address = address
        self.identifiers = Set(identifiers)
        self.generations = Set(generations)
        var seen: Set<String> = []
        self.keyNames = keyNames.filter { seen.insert($0).inserted }
    }
}
