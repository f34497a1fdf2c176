internal import AccessRules
internal import KeyProtocol

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

        /// No certificate but a token that was made for ``ReleaseFacts/device``, and is refused from
        /// the given moment on.
        case token(revokedAt: Timestamp?)

        /// A token that this store once made, and has forgotten with its device.
        case forgottenToken
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

    /// The policies about who asks, the widest first.
    public var devicePolicies: [AppliedPolicy] = []

    /// The policies about the keys that were asked for, in their order.
    public var keyPolicies: [AppliedPolicy] = []

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
        let device: DeviceRecord?
        let certificate: Certificate
        if let token = request.token {
            let record = try store.token(id: token.id)
            device = if let record { try store.device(id: record.device) } else { nil }
            certificate = device == nil ? .forgottenToken : .token(revokedAt: record?.revokedAt)
        } else if let record = try store.certificate(fingerprint: request.fingerprint) {
            device = if let id = record.device { try store.device(id: id) } else { nil }
            certificate =
                device == nil ? .orphaned : .registered(revokedAt: record.revokedAt)
        } else {
            device = try store.device(named: request.device)
            certificate = .unregistered
        }
        try self.init(about: request, of: device, certificate: certificate, in: store, now: now)
    }

    /// Looks up the rest, where it is known who asks.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    init(
        about request: ReleaseRequest,
        of device: DeviceRecord?,
        certificate: Certificate,
        in store: any StorageTransaction,
        now: Timestamp
    ) throws(KeyServerError) {
        self.init(now: now, device: device, certificate: certificate)
        lockdown = try store.lockdown()
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
        let holder = holder(of: request)
        devicePolicies = try store.appliedPolicies(of: PolicySubject.those(of: device), by: holder)
        keyPolicies = try store.appliedPolicies(of: request.keyNames.map { .key($0) }, by: holder)
    }

    /// Under which name releases are counted: the device's number, or the certificate where it
    /// proves no device of the store.
    func holder(of request: ReleaseRequest) -> String {
        provenDevice?.holder ?? "certificate \(request.fingerprint)"
    }

    /// For how many milliseconds the device has had no key; `nil` for one that is not the store's.
    var unseen: Int? {
        guard let device else { return nil }
        let last = [device.addedAt, device.seenAt, device.restoredAt].compactMap {
            $0?.milliseconds
        }
        return last.max().map { now.milliseconds - $0 }
    }

    /// The device, where its certificate or token proves that it is the one.
    var provenDevice: DeviceRecord? {
        switch certificate {
        case .registered, .token: return device
        case .orphaned, .unregistered, .forgottenToken: return nil
        }
    }
}

extension PolicyStorage {
    fileprivate func appliedPolicies(
        of subjects: [PolicySubject],
        by holder: String
    ) throws(KeyServerError) -> [AppliedPolicy] {
        var applied: [AppliedPolicy] = []
        for subject in subjects {
            guard let rules = try policy(of: subject)?.rules else { continue }
            let usage = rules.counts ? try usage(of: subject, by: holder) : RuleUsage()
            applied.append(AppliedPolicy(subject: subject, rules: rules, usage: usage))
        }
        return applied
    }
}
