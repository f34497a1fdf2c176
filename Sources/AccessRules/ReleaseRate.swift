/// How often a device gets keys: a bucket that each release fills a little and that leaks.
public struct ReleaseRate: Hashable, Sendable {
    /// Releases in each ``period``, in the long run: 1...1_000_000.
    public let count: Int

    /// At most a year.
    public let period: TimeSpan

    /// Releases that may follow one another at once: 1...1_000_000.
    public let burst: Int

    private static let most = 1_000_000
    private static let longest = 366 * 86_400

    /// Reads a rate.
    ///
    /// - Parameters:
    ///   - text: `COUNT/PERIOD`, such as `10/1h`.
    ///   - burst: `nil` for as many as the count.
    /// - Throws: ``RuleError``.
    public init(parsing text: String, burst: Int? = nil) throws(RuleError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = parts[0].wholeNumber else {
            throw .rate(text: text, reason: "a number, a slash, a length of time")
        }
        let period = try TimeSpan(parsing: parts[1])
        guard (1...Self.most).contains(count), (1...Self.longest).contains(period.seconds) else {
            throw .rate(text: text, reason: "1 to \(Self.most) in 1s to 366d")
        }
        guard (1...Self.most).contains(burst ?? count) else {
            throw .rate(text: text, reason: "the burst must be 1 to \(Self.most)")
        }
        self.count = count
        self.period = period
        self.burst = burst ?? count
    }

    /// What a release puts into the bucket, in milliseconds of leaking; rounded up, so never more
    /// is released than was said.
    private var share: Int { (period.milliseconds + count - 1) / count }

    /// How long until the next release, in milliseconds; 0 for at once.
    func wait(for usage: RuleUsage, at milliseconds: Int) -> Int {
        max(0, level(of: usage, at: milliseconds) + share - burst * share)
    }

    /// What is in the bucket after a release.
    func level(afterReleaseAt milliseconds: Int, _ usage: RuleUsage) -> Int {
        min(level(of: usage, at: milliseconds) + share, burst * share)
    }

    /// What is in the bucket.
    ///
    /// A clock that was set back neither fills nor empties it; a policy that was narrowed since
    /// leaves it no fuller than full.
    private func level(of usage: RuleUsage, at milliseconds: Int) -> Int {
        let elapsed = max(0, milliseconds - usage.updatedAt)
        return min(max(0, usage.level - elapsed), burst * share)
    }
}

extension ReleaseRate: CustomStringConvertible {
    /// `10/1h burst 3`.
    public var description: String { "\(count)/\(period) burst \(burst)" }
}

/// What a device has had under a policy.
public struct RuleUsage: Equatable, Sendable {
    /// Releases so far.
    public var releases = 0

    /// What is in the bucket of ``ReleaseRate``, in milliseconds of leaking.
    public var level = 0

    /// When that was so, in milliseconds since 1970.
    public var updatedAt = 0

    /// Nothing yet.
    public init() {}

    /// What was stored.
    public init(releases: Int, level: Int, updatedAt: Int) {
        self.releases = releases
        self.level = level
        self.updatedAt = updatedAt
    }
}
