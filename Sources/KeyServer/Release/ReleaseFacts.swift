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

    /// Looks up what bears on a request of somebody who is known.
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
        var questions = ReleaseQuestions()
        ask(request, &questions)
        learn(request, try store.records(for: questions))
        learn(request, usages: try store.usages(counters(of: request)))
    }

    /// Adds what is to be looked up for a request.
    func ask(_ request: ReleaseRequest, _ questions: inout ReleaseQuestions) {
        questions.keys.formUnion(request.keyNames)
        if let provenDevice {
            for key in request.keyNames {
                for subject in GrantSubject.those(of: provenDevice) {
                    questions.grants.insert(KeyGrant(key: key, subject: subject))
                }
            }
        }
        questions.subjects.formUnion(PolicySubject.those(of: device))
        questions.subjects.formUnion(request.keyNames.map { .key($0) })
    }

    /// Takes in what was found; ``counters(of:)`` are what is left to look up then.
    mutating func learn(_ request: ReleaseRequest, _ records: ReleaseRecords) {
        lockdown = records.lockdown
        for name in request.keyNames {
            let generations = (records.generations[name] ?? []).filter { $0.retiredAt == nil }
            guard !generations.isEmpty else { continue }
            let grant = provenDevice.flatMap { device in
                GrantSubject.those(of: device)
                    .first { records.grants.contains(KeyGrant(key: name, subject: $0)) }
            }
            keys[name] = KeyFacts(grant: grant, generations: generations)
        }
        let applied = { (subject: PolicySubject) in
            records.rules[subject].map { AppliedPolicy(subject: subject, rules: $0) }
        }
        devicePolicies = PolicySubject.those(of: device).compactMap(applied)
        keyPolicies = request.keyNames.compactMap { applied(.key($0)) }
    }

    /// What has to be known of the policies that count.
    func counters(of request: ReleaseRequest) -> Set<UsageCounter> {
        let counting = (devicePolicies + keyPolicies).filter(\.rules.counts)
        let holder = holder(of: request)
        return Set(counting.map { UsageCounter(subject: $0.subject, holder: holder) })
    }

    /// Takes in what has been had under the policies.
    mutating func learn(_ request: ReleaseRequest, usages: [UsageCounter: RuleUsage]) {
        let holder = holder(of: request)
        let counted = { (policy: AppliedPolicy) in
            let counter = UsageCounter(subject: policy.subject, holder: holder)
            return AppliedPolicy(
                subject: policy.subject,
                rules: policy.rules,
                usage: usages[counter] ?? RuleUsage()
            )
        }
        devicePolicies = devicePolicies.map(counted)
        keyPolicies = keyPolicies.map(counted)
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
