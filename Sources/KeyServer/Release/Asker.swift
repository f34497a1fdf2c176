/// Who asks for keys, as far as the store knows.
public struct Asker: Equatable, Sendable {
    /// The device; see ``ReleaseFacts/device``.
    public var device: DeviceRecord?

    /// What it showed.
    public var certificate: ReleaseFacts.Certificate

    /// The token, where it showed one that the store knows.
    public var token: TokenRecord?

    /// Describes who asks.
    public init(
        device: DeviceRecord? = nil,
        certificate: ReleaseFacts.Certificate,
        token: TokenRecord? = nil
    ) {
        self.device = device
        self.certificate = certificate
        self.token = token
    }
}
