public import AccessRules

/// Whose requests a policy is about.
public enum PolicySubject: Hashable, Sendable {
    /// Requests of these devices.
    case devices(GrantSubject)

    /// Requests that name this key.
    case key(String)

    /// How the store tells the kinds apart.
    var kind: String {
        switch self {
        case .devices(let devices): devices.kind
        case .key: "key"
        }
    }

    /// What of that kind.
    var name: String {
        switch self {
        case .devices(let devices): devices.name
        case .key(let name): name
        }
    }

    /// Reads what ``kind`` and ``name`` wrote; `nil` for anything else.
    init?(kind: String, name: String) {
        if kind == "key" {
            self = .key(name)
        } else {
            guard let devices = GrantSubject(kind: kind, name: name) else { return nil }
            self = .devices(devices)
        }
    }

    /// Every subject that means a device, or one nobody knows, from the widest to the narrowest.
    static func those(of device: DeviceRecord?) -> [PolicySubject] {
        var subjects: [GrantSubject] = [.everyDevice]
        if let device {
            subjects += (device.fleet.map { [.fleet($0)] } ?? []) + device.tags.map { .tag($0) }
            subjects.append(.device(device.name))
        }
        return subjects.map { .devices($0) }
    }
}

extension PolicySubject: CustomStringConvertible {
    /// `all`, or the kind and the name: `tag north`.
    public var description: String {
        switch self {
        case .devices(let devices): "\(devices)"
        case .key(let name): "key \(name)"
        }
    }
}

/// A policy of the store.
public struct PolicyRecord: Equatable, Sendable {
    /// Whose requests it is about.
    public let subject: PolicySubject

    /// What such a request must satisfy.
    public let rules: RuleSet

    /// When it was set.
    public let setAt: Timestamp
}

/// A policy that a request has to satisfy, and what the device has had under it.
public struct AppliedPolicy: Equatable, Sendable {
    /// Whose requests it is about.
    public var subject: PolicySubject

    /// What such a request must satisfy.
    public var rules: RuleSet

    /// What the device has had under it.
    public var usage: RuleUsage

    /// Describes a policy and its use.
    public init(subject: PolicySubject, rules: RuleSet, usage: RuleUsage = RuleUsage()) {
        self.subject = subject
        self.rules = rules
        self.usage = usage
    }
}

/// Policies, and what devices have had under them.
public protocol PolicyStorage {
    /// A subject's policy; `nil` where it has none.
    func policy(of subject: PolicySubject) throws(KeyServerError) -> PolicyRecord?

    /// Every policy, by kind and name.
    func policies() throws(KeyServerError) -> [PolicyRecord]

    /// Sets a subject's policy in place of the one it had; what was had under it stays.
    func setPolicy(_ policy: PolicyRecord) throws(KeyServerError)

    /// Forgets a policy, and what was had under it.
    ///
    /// - Returns: Whether there was one.
    func removePolicy(of subject: PolicySubject) throws(KeyServerError) -> Bool

    /// Has a device's policy follow it to another name, or with no name end.
    func movePolicy(ofDevice name: String, to newName: String?) throws(KeyServerError)

    /// Notes what somebody has had under a policy.
    func setUsage(
        _ usage: RuleUsage,
        of subject: PolicySubject,
        by holder: String
    ) throws(KeyServerError)

    /// Forgets what somebody has had under every policy.
    func forgetUsage(by holder: String) throws(KeyServerError)
}
