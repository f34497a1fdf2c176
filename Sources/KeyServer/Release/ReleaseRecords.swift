public import AccessRules

/// A key and who may have it.
public struct KeyGrant: Hashable, Sendable {
    /// The key's name.
    public let key: String

    /// Who.
    public let subject: GrantSubject
}

/// A policy, and who is counted under it.
public struct UsageCounter: Hashable, Sendable {
    /// Whose policy.
    public let subject: PolicySubject

    /// Who; see ``ReleaseFacts/holder(of:)``.
    public let holder: String
}

/// What decisions have to know besides who asks.
public struct ReleaseQuestions: Sendable {
    /// Of which keys the generations.
    public var keys: Set<String> = []

    /// Which grants there are.
    public var grants: Set<KeyGrant> = []

    /// Of whom the policies.
    public var subjects: Set<PolicySubject> = []
}

/// The answers, as they stand in the store.
public struct ReleaseRecords: Sendable {
    /// The lockdown in force.
    public var lockdown: Lockdown?

    /// Of each key that was asked for and is there, the latest first.
    public var generations: [String: [GenerationRecord]] = [:]

    /// Those that were asked for and are there.
    public var grants: Set<KeyGrant> = []

    /// Those that were asked for and are there.
    public var rules: [PolicySubject: RuleSet] = [:]

    /// The end of the audit log.
    public var lastEntry: AuditRecord?
}

/// What decisions are made of, read for many requests at once: on a database that is far, each of
/// these costs one wait, however many requests there are.
public protocol ReleaseStorage {
    /// Who asks, for each request in order.
    func askers(of requests: [ReleaseRequest]) throws(KeyServerError) -> [Asker]

    /// What else there is to know.
    func records(for questions: ReleaseQuestions) throws(KeyServerError) -> ReleaseRecords

    /// What has been had under policies; nothing for a counter that has not begun.
    func usages(_ counters: Set<UsageCounter>) throws(KeyServerError) -> [UsageCounter: RuleUsage]
}
