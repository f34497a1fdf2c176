public import AccessRules
internal import KeyProtocol

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
        if let refusal = refusal(ofAsker: request, facts) { return .refused(refusal) }
        guard let address = request.address else { return .refused(.addressUnknown) }
        let circumstances = { Self.circumstances(of: $0, address, facts) }
        if let refusal = refusal(of: request.keyNames, facts) { return .refused(refusal) }
        if let names = request.token?.keys,
            let other = request.keyNames.first(where: { !names.contains($0) })
        {
            return .refused(.keyNotInToken(name: other))
        }
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

    /// Whether who asks would get nothing, whatever it asks for and however long it waits: the part
    /// of the decision that a certificate needs as well.
    ///
    /// - Parameters:
    ///   - request: From where it is asked.
    ///   - facts: What the store knows of who asks.
    /// - Returns: `nil` for one that is welcome.
    func refusal(
        ofAsker request: ReleaseRequest,
        _ facts: ReleaseFacts
    ) -> ReleaseRefusal? {
        if let refusal = refusal(of: facts) ?? refusal(of: request.token, facts) { return refusal }
        // Fail closed: an address nobody knows is one nobody allowed.
        guard let address = request.address else { return .addressUnknown }
        switch addresses.verdict(for: address) {
        case .permitted: break
        case .denied(let block): return .addressDenied(by: block)
        case .notAllowed: return .addressNotAllowed
        }
        for policy in facts.devicePolicies {
            let circumstances = Self.circumstances(of: policy, address, facts)
            if let broken = policy.rules.lastingViolation(circumstances) {
                return .policy(of: policy.subject, broken)
            }
        }
        return nil
    }

    private static func circumstances(
        of policy: AppliedPolicy,
        _ address: IPAddress,
        _ facts: ReleaseFacts
    ) -> RuleSet.Circumstances {
        RuleSet.Circumstances(
            now: facts.now.milliseconds,
            address: address,
            unseen: facts.unseen,
            usage: policy.usage
        )
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
        case .token(let revokedAt?) where revokedAt.milliseconds <= facts.now.milliseconds:
            return .tokenRevoked(at: revokedAt)
        case .forgottenToken:
            return .deviceRemoved
        case .registered, .unregistered, .token:
            return nil
        }
    }

    /// By how many seconds the clocks of two servers may differ.
    private static let clockSlack = 60

    /// Whether it is not the time for a token.
    private func refusal(of token: TokenClaims?, _ facts: ReleaseFacts) -> ReleaseRefusal? {
        guard let token else { return nil }
        if facts.now.seconds >= token.expiresAt {
            return .tokenExpired(at: Timestamp(seconds: token.expiresAt))
        }
        // The clock was set back, or the token is from a server whose clock is ahead.
        guard facts.now.seconds >= token.issuedAt - Self.clockSlack else {
            return .tokenNotYetValid(from: Timestamp(seconds: token.issuedAt))
        }
        return nil
    }
}

/// What was decided.
public enum ReleaseDecision: Equatable, Sendable {
    /// The device gets every key it named.
    case granted

    /// The device gets none.
    case refused(ReleaseRefusal)
}
