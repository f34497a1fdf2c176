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
    /// - Parameters:
    ///   - request: What is asked for, and from where.
    ///   - facts: What the store knows of who asks.
    /// - Returns: What to do.
    public func decide(_ request: ReleaseRequest, _ facts: ReleaseFacts) -> ReleaseDecision {
        if let refusal = refusal(of: facts) { return .refused(refusal) }
        // Fail closed: an address nobody knows is one nobody allowed.
        guard let address = request.address else { return .refused(.addressUnknown) }
        switch addresses.verdict(for: address) {
        case .permitted: break
        case .denied(let block): return .refused(.addressDenied(by: block))
        case .notAllowed: return .refused(.addressNotAllowed)
        }
        guard !request.keyNames.isEmpty else { return .refused(.noKeyNamed) }
        for name in request.keyNames {
            let isGranted =
                facts.keys[name].map { $0.grant != nil && facts.provenDevice != nil }
                ?? keyNames.contains(name)
            guard isGranted else { return .refused(.keyNotGranted(name: name)) }
        }
        guard canOpenStore || facts.keys.isEmpty else { return .refused(.storeSealed) }
        return .granted
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

/// Why a device gets no key.
public enum ReleaseRefusal: Equatable, Sendable {
    /// Its address lies in a denied block.
    case addressDenied(by: CIDRBlock)

    /// Its address lies in none of the allowed blocks.
    case addressNotAllowed

    /// Nobody could say where it called from.
    case addressUnknown

    /// It may not have the key, or there is none of that name: a device cannot tell which.
    case keyNotGranted(name: String)

    /// The key is the store's, and nobody gave the server the root key.
    case storeSealed

    /// An operator has shut the whole store.
    case lockdown(since: Timestamp)

    /// It asked for nothing.
    case noKeyNamed

    /// An operator has revoked it.
    case deviceRevoked(name: String, at: Timestamp)

    /// The certificate was given to a device that has been removed.
    case deviceRemoved

    /// The device has been given another certificate in place of this one.
    case certificateRevoked(at: Timestamp)

    /// In how many seconds to ask again, where asking again may help; `nil` where it will not.
    public var retryAfter: Int? {
        switch self {
        case .storeSealed: 30
        case .lockdown: 60
        default: nil
        }
    }

    /// The code in the answer; clients may depend on it.
    public var code: String {
        switch self {
        case .addressDenied, .addressNotAllowed, .addressUnknown: "address_denied"
        case .keyNotGranted: "key_not_granted"
        case .noKeyNamed: "no_key_named"
        case .storeSealed: "sealed"
        case .lockdown: "lockdown"
        case .deviceRevoked, .deviceRemoved: "device_revoked"
        case .certificateRevoked: "certificate_revoked"
        }
    }

    /// The sentence in the answer; says no more than the device knows itself.
    public var message: String {
        switch self {
        case .addressDenied, .addressNotAllowed, .addressUnknown:
            "no key is given out to this address"
        case .keyNotGranted(let name): "this device has no grant for the key '\(name)'"
        case .noKeyNamed: "the request names no key"
        case .lockdown: "the store is locked down"
        case .storeSealed: "the server has not been given its root key yet"
        case .deviceRevoked, .deviceRemoved: "this device has been revoked"
        case .certificateRevoked: "this certificate has been replaced by another"
        }
    }

    /// What the log says beyond ``code``.
    public var detail: String {
        switch self {
        case .addressDenied(let block): "denied by \(block)"
        case .addressNotAllowed: "in no allowed block"
        case .addressUnknown: "peer address unknown"
        case .keyNotGranted(let name): "no grant for \(name)"
        case .noKeyNamed: "no key named"
        case .storeSealed: "no root key"
        case .lockdown(let time): "locked down since \(time)"
        case .deviceRevoked(let name, let time): "device \(name) revoked on \(time)"
        case .deviceRemoved: "certificate of a device that was removed"
        case .certificateRevoked(.always): "certificate replaced"
        case .certificateRevoked(let time): "certificate replaced on \(time)"
        }
    }
}
