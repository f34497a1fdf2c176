public import AccessRules
public import Logging

/// Everything a server is started with.
public struct KeyServerConfiguration: Sendable {
    /// Where devices call.
    public var listen: ListenAddress

    /// Where monitoring calls; `nil` for nowhere.
    public var adminListen: ListenAddress?

    /// The server's certificate and whose devices it trusts.
    public var certificates: ServerCertificates

    /// Where they are read again when they change; `nil` where they cannot.
    public var certificateFiles: CertificateFiles?

    /// The keys it gives out.
    public var keys: KeyRing

    /// What is known of devices, and where decisions are recorded; `nil` for a server that has no
    /// state directory.
    public var storage: (any Storage)?

    /// The server's directory; `nil` for a server that has none.
    public var directory: StateDirectory?

    /// Opens the keys of the store, as soon as somebody has given the root key or enough shares.
    public var gate: StoreGate?

    /// Signs for devices that enrol, and renews; `nil` where none can.
    public var authority: CertificateAuthority?

    /// Whether devices may show tokens in place of certificates.
    public var acceptsTokens = false

    /// From where keys are given out.
    public var addresses = AddressPolicy()

    /// Whose word counts for where a connection comes from, and who must give it.
    public var proxies: [CIDRBlock] = []

    /// Whether devices of the original's are served as they are: TLS 1.2 will do, and its shared
    /// certificate, with which whoever has one device can pose as the server.
    public var isLegacy = false

    /// What one peer may cost.
    public var limits = ServerLimits()

    /// Where lines go.
    public var logger: Logger

    /// Gathers what has no default.
    ///
    /// - Parameters:
    ///   - listen: Where devices call.
    ///   - adminListen: Where monitoring calls.
    ///   - certificates: The server's certificate and whose devices it trusts.
    ///   - keys: The keys it gives out.
    ///   - logger: Where lines go.
    public init(
        listen: ListenAddress,
        adminListen: ListenAddress?,
        certificates: ServerCertificates,
        keys: KeyRing,
        logger: Logger
    ) {
        self.listen = listen
        self.adminListen = adminListen
        self.certificates = certificates
        self.keys = keys
        self.logger = logger
    }
}
