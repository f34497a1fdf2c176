/// What the store knows that bears on a request, at one moment.
public struct ReleaseFacts: Equatable, Sendable {
    /// What is known of the certificate a device showed.
    public enum Certificate: Equatable, Sendable {
        /// Given to ``ReleaseFacts/device``, and refused from the given moment on.
        case registered(revokedAt: Timestamp?)

        /// Given to a device that was removed.
        case orphaned

        /// Signed by a trusted authority, and unknown here.
        case unregistered
    }

    /// The moment.
    public var now: Timestamp

    /// The device the certificate was given to; for an unregistered certificate, the device whose
    /// name stands in it.
    public var device: DeviceRecord?

    /// What is known of the certificate.
    public var certificate: Certificate

    /// The lockdown in force, if there is one.
    public var lockdown: Lockdown?

    /// The keys that were asked for, as far as they are the store's.
    public var keys: [String: KeyFacts]

    /// Gathers facts; without any, nothing is known of who asks, nor of keys.
    public init(
        now: Timestamp,
        device: DeviceRecord? = nil,
        certificate: Certificate = .unregistered,
        keys: [String: KeyFacts] = [:]
    ) {
        self.now = now
        self.device = device
        self.certificate = certificate
        self.keys = keys
    }

    /// Looks up what bears on a request.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    init(
        about request: ReleaseRequest,
        in store: any StorageTransaction,
        now: Timestamp
    ) throws(KeyServerError) {
        self.init(now: now)
        lockdown = try store.lockdown()
        if let record = try store.certificate(fingerprint: request.fingerprint) {
            device = if let id = record.device { try store.device(id: id) } else { nil }
            certificate =
                device == nil ? .orphaned : .registered(revokedAt: record.revokedAt)
        } else {
            device = try store.device(named: request.device)
        }
        for name in request.keyNames {
            let generations = try store.generations(ofKey: name).filter { $0.retiredAt == nil }
            guard !generations.isEmpty else { continue }
            let grant =
                if let provenDevice {
                    try store.grant(ofKey: name, to: provenDevice)
                } else {
                    GrantSubject?.none
                }
            keys[name] = KeyFacts(grant: grant, generations: generations)
        }
    }

    /// The device, where its certificate proves that it is the one.
    var provenDevice: DeviceRecord? {
        guard case .registered = certificate else { return nil }
        return device
    }
}
