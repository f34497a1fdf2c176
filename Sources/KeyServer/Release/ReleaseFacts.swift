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

    /// Gathers facts; without any, nothing is known of who asks.
    public init(
        now: Timestamp,
        device: DeviceRecord? = nil,
        certificate: Certificate = .unregistered
    ) {
        self.now = now
        self.device = device
        self.certificate = certificate
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
        guard let record = try store.certificate(fingerprint: request.fingerprint) else {
            device = try store.device(named: request.device)
            return
        }
        guard let id = record.device else {
            certificate = .orphaned
            return
        }
        device = try store.device(id: id)
        certificate = .registered(revokedAt: record.revokedAt)
    }

    /// The device, where its certificate proves that it is the one.
    var provenDevice: DeviceRecord? {
        guard case .registered = certificate else { return nil }
        return device
    }
}
