public import AccessRules

extension Administration {
    /// Sets what requests must satisfy, in place of what was set for the same subject before.
    ///
    /// What devices have had under it goes on counting.
    ///
    /// - Parameters:
    ///   - rules: At least one.
    ///   - subject: Whose requests; a device by name must be there.
    /// - Throws: ``KeyServerError/noDevice(_:)``, ``KeyServerError/storage(reason:)``.
    public func setPolicy(
        _ rules: RuleSet,
        of subject: PolicySubject
    ) throws(KeyServerError) {
        try perform("policy.set") { store, now throws(KeyServerError) in
            if case .devices(.device(let name)) = subject { _ = try store.existingDevice(name) }
            try store.setPolicy(PolicyRecord(subject: subject, rules: rules, setAt: now))
            return ((), ["of": .text("\(subject)"), "rules": .list(rules.lines)])
        }
    }

    /// Ends a policy, from this moment on, and forgets what devices have had under it.
    ///
    /// - Throws: ``KeyServerError/noPolicy(_:)``, ``KeyServerError/storage(reason:)``.
    public func removePolicy(of subject: PolicySubject) throws(KeyServerError) {
        try perform("policy.remove") { store, _ throws(KeyServerError) in
            guard try store.removePolicy(of: subject) else { throw .noPolicy("\(subject)") }
            return ((), ["of": .text("\(subject)")])
        }
    }

    /// Every policy, by kind and name.
    ///
    /// - Throws: ``KeyServerError/storage(reason:)``.
    public func listPolicies() throws(KeyServerError) -> [PolicyRecord] {
        try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.policies()
        }
    }

    /// A subject's policy.
    ///
    /// - Throws: ``KeyServerError/noPolicy(_:)``, ``KeyServerError/storage(reason:)``.
    public func showPolicy(of subject: PolicySubject) throws(KeyServerError) -> PolicyRecord {
        let found = try storage.transaction(.reading) { store throws(KeyServerError) in
            try store.policy(of: subject)
        }
        guard let found else { throw .noPolicy("\(subject)") }
        return found
    }

    /// What would be decided if a device asked, without releasing, counting or recording anything.
    ///
    /// Knows of the store what a server knows of it; not what a server was started with.
    ///
    /// - Parameters:
    ///   - device: Its name; it shows a certificate that is in force.
    ///   - keys: The keys it names.
    ///   - address: Where it asks from.
    ///   - time: When.
    /// - Returns: The decision, and the policies it rests on.
    /// - Throws: ``KeyServerError/noDevice(_:)``, ``KeyServerError/storage(reason:)``.
    public func testPolicy(
        device: String,
        keys: [String],
        from address: IPAddress,
        at time: Timestamp
    ) throws(KeyServerError) -> PolicyTest {
        let request = ReleaseRequest(device: device, address: address, keyNames: keys)
        let facts = try storage.transaction(.reading) { store throws(KeyServerError) in
            try ReleaseFacts(
                about: request,
                of: try store.existingDevice(device),
                certificate: .registered(revokedAt: nil),
                in: store,
                now: time
            )
        }
        let decision = ReleasePolicy(addresses: AddressPolicy(), keyNames: [])
            .decide(request, facts)
        return PolicyTest(
            decision: decision,
            grants: keys.compactMap { name in facts.keys[name]?.grant.map { (name, $0) } },
            policies: facts.devicePolicies + facts.keyPolicies
        )
    }
}

/// What a request would come to, and why.
public struct PolicyTest: Sendable {
    /// What would be decided.
    public let decision: ReleaseDecision

    /// The grant by which the device may have each key.
    public let grants: [(key: String, to: GrantSubject)]

    /// The policies that the request had to satisfy.
    public let policies: [AppliedPolicy]
}
