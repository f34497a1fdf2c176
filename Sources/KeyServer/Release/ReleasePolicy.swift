public import AccessRules

/// Decides who gets which key.
///
/// A pure function of its inputs, so that every rule can be tested without a connection.
public struct ReleasePolicy: Sendable {
    /// From where keys are given out.
    public var addresses: AddressPolicy

    /// The names of the keys that every device may have: those of the command line, unless the
    /// store has one of that name.
    public var keyNames: Set<String>

    /// Whether the keys of the store can be opened.
    public var canOpenStore: Bool

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - addresses: From where keys are given out.
    ///   - keyNames: The names of the command line's keys.
    ///   - canOpenStore: Whether the keys of the store can be opened.
    public init(addresses: AddressPolicy, keyNames: Set<String>, canOpenStore: Bool = true) {
        self.addresses = addresses
        self.keyNames = keyNames
        self.canOpenStore = canOpenStore
    }

    /// Decides about a request: all the keys it names, or none.
    ///
    /// Nothing overrides anything: lockdown, revocation, grants and every policy that applies must
    /// all let the request pass. What waiting does not mend is said first, and nothing of a key
    /// before the grant.
    ///
    /// - Parameters:
    ///   - request: What is asked for, and from where.
    ///   - facts: What the store knows of who asks.
    /// - Returns: What to do, and by which rule.
    public func decide(_ request: ReleaseRequest, _ facts: ReleaseFacts) -> ReleaseDecision {
        if let refusal = refusal(of: facts) { return .refused(refusal) }
        // Fail closed: an address nobody knows is one nobody allowed.
        guard let address = request.address else { return .refused(.addressUnknown) }
        switch addresses.verdict(for: address) {
        case .permitted: break
        case .denied(let block): return .refused(.addressDenied(by: block))
        case .notAllowed: return .refused(.addressNotAllowed)
        }
        let circumstances = { (policy: AppliedPolicy) in
            RuleSet.Circumstances(
                now: facts.now.milliseconds,
                address: address,
                unseen: facts.unseen,
                usage: policy.usage
            )
        }
        for policy in facts.devicePolicies {
            if let broken = policy.rules.lastingViolation(circumstances(policy)) {
                return .refused(.policy(of: policy.subject, broken))
            }
        }
        if let refusal = refusal(of: request.keyNames, facts) { return .refused(refusal) }
        for policy in facts.keyPolicies {
            if let broken = policy.rules.lastingViolation(circumstances(policy)) {
                return .refused(.policy(of: policy.subject, broken))
            }
        }
        guard canOpenStore || facts.keys.isEmpty else { return .refused(.storeSealed) }
        for policy in facts.devicePolicies + facts.keyPolicies {
            if let broken = policy.rules.passingViolation(circumstances(policy)) {
                return .refused(.policy(of: policy.subject, broken))
            }
        }
        return .granted
    }

    /// Whether a key that is asked for is not the asker's.
    private func refusal(of names: [String], _ facts: ReleaseFacts) -> ReleaseRefusal? {
        guard !names.isEmpty else { return .noKeyNamed }
        let refused = names.first { name in
            guard let key = facts.keys[name] else { return !keyNames.contains(name) }
            return key.grant == nil || facts.provenDevice == nil
        }
        return refused.map { .keyNotGranted(name: $0) }
    }

    /// Whether who asks is out, wherever it asks from.
    private func refusal(of facts: ReleaseFacts) -> ReleaseRefusal? {
        if let lockdown = facts.lockdown { return .lockdown(since: lockdown.since) }
        if let device = facts.device, let revokedAt = device.revokedAt {
            return .deviceRevoked(name: device.name, at: revokedAt)
        }
        switch facts.certificate {
        case .orphaned:
            return .deviceRemoved
        case .registered(let revokedAt?) where revokedAt.milliseconds <= facts.now.milliseconds:
            return .certificateRevoked(at: revokedAt)
        case .registered, .unregistered:
            return nil
        }
    }
}

/// What was decided.
public enum ReleaseDecision: Equatable, Sendable {
    /// The device gets every key it named.
    case granted

    /// The device gets none.
    case refused(ReleaseRefusal)
}
