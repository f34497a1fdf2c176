/// The rules of one policy.
///
/// Each only ever takes something away: a request must satisfy all.
public struct RuleSet: Equatable, Sendable {
    /// From where.
    public var addresses = AddressPolicy()

    /// When; empty means at any time.
    public var hours: [WeekHours] = []

    /// How often, each device by itself.
    public var rate: ReleaseRate?

    /// How many times in all, each device by itself.
    public var releases: Int?

    /// A device that has had no key for longer gets none any more.
    public var unseen: TimeSpan?

    /// Highest ``releases``.
    public static let maximumReleases = 1_000_000_000

    /// No rule.
    public init() {}

    /// Whether nothing is taken away.
    public var isEmpty: Bool { self == RuleSet() }

    /// Whether releases have to be counted.
    public var counts: Bool { rate != nil || releases != nil }

    /// What a request looks like to a policy.
    public struct Circumstances: Equatable, Sendable {
        /// The moment, in milliseconds since 1970.
        public var now: Int

        /// Where it comes from.
        public var address: IPAddress

        /// For how many milliseconds the device has had no key; `nil` where nobody can know.
        public var unseen: Int?

        /// What the device has had under the policy.
        public var usage: RuleUsage

        /// Gathers circumstances.
        public init(now: Int, address: IPAddress, unseen: Int?, usage: RuleUsage) {
            self.now = now
            self.address = address
            self.unseen = unseen
            self.usage = usage
        }
    }

    /// The first rule that a request breaks and that no waiting mends.
    public func lastingViolation(_ circumstances: Circumstances) -> Violation? {
        switch addresses.verdict(for: circumstances.address) {
        case .permitted: break
        case .denied(let block): return Violation(rule: .deny(block))
        case .notAllowed: return Violation(rule: .allow(addresses.allowed))
        }
        if let unseen, let time = circumstances.unseen, time > unseen.milliseconds {
            return Violation(rule: .unseen(unseen))
        }
        if let releases, circumstances.usage.releases >= releases {
            return Violation(rule: .releases(releases))
        }
        return nil
    }

    /// The first rule that a request breaks now, and will not break later.
    public func passingViolation(_ circumstances: Circumstances) -> Violation? {
        let now = circumstances.now
        if !hours.isEmpty, !hours.contains(where: { $0.contains(now) }) {
            let wait = hours.map { $0.wait(at: now) }.min() ?? 0
            return Violation(rule: .hours(hours), wait: wait)
        }
        if let rate {
            let wait = rate.wait(for: circumstances.usage, at: now)
            if wait > 0 { return Violation(rule: .rate(rate), wait: wait) }
        }
        return nil
    }

    /// What a device has had after one more release.
    public func usage(after usage: RuleUsage, releaseAt milliseconds: Int) -> RuleUsage {
        RuleUsage(
            releases: usage.releases + 1,
            level: rate?.level(afterReleaseAt: milliseconds, usage) ?? 0,
            updatedAt: milliseconds
        )
    }
}

/// A rule that a request breaks.
public struct Violation: Equatable, Sendable {
    /// Which.
    public let rule: Rule

    /// In how many seconds it will not any more; `nil` for never by itself.
    public let retryAfter: Int?

    init(rule: Rule, wait milliseconds: Int? = nil) {
        self.rule = rule
        retryAfter = milliseconds.map { ($0 + 999) / 1000 }
    }
}
