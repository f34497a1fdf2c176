/// One rule, as it is written on a line.
public enum Rule: Equatable, Sendable {
    /// Only from these blocks.
    case allow([CIDRBlock])

    /// Not from this block.
    case deny(CIDRBlock)

    /// Only in these hours.
    case hours([WeekHours])

    /// Not more often.
    case rate(ReleaseRate)

    /// Not more in all.
    case releases(Int)

    /// Not after a longer absence.
    case unseen(TimeSpan)
}

extension Rule: CustomStringConvertible {
    /// Name and value: `allow 192.0.2.0/24`.
    public var description: String {
        switch self {
        case .allow(let blocks): "allow \(Self.list(blocks))"
        case .deny(let block): "deny \(block)"
        case .hours(let hours): "hours \(Self.list(hours))"
        case .rate(let rate): "rate \(rate)"
        case .releases(let count): "releases \(count)"
        case .unseen(let span): "unseen \(span)"
        }
    }

    private static func list(_ values: [some CustomStringConvertible]) -> String {
        values.map(\.description).joined(separator: " or ")
    }
}

extension RuleSet {
    /// Its rules, a line each; what is allowed, and in which hours, one block or window a line.
    public var lines: [String] {
        var rules = addresses.denied.map(Rule.deny)
        rules += addresses.allowed.map { .allow([$0]) }
        rules += hours.map { .hours([$0]) }
        rules += [rate.map(Rule.rate), releases.map(Rule.releases), unseen.map(Rule.unseen)]
            .compactMap { $0 }
        return rules.map(\.description)
    }

    /// The form it is stored in, which ``init(parsing:)`` reads.
    public var text: String { lines.joined(separator: "\n") }

    /// Reads rules, one a line.
    ///
    /// - Throws: ``RuleError``.
    public init(parsing text: String) throws(RuleError) {
        for line in text.split(separator: "\n") { try add(String(line)) }
    }

    private mutating func add(_ line: String) throws(RuleError) {
        guard let space = line.firstIndex(of: " ") else { throw .rule(line) }
        let (name, value) = (String(line[..<space]), String(line[line.index(after: space)...]))
        switch name {
        case "allow": addresses.allowed.append(try CIDRBlock(parsing: value))
        case "deny": addresses.denied.append(try CIDRBlock(parsing: value))
        case "hours": hours.append(try WeekHours(parsing: value))
        case "rate":
            guard rate == nil else { throw .repeated(rule: name) }
            rate = try Self.rate(value)
        case "releases":
            guard releases == nil else { throw .repeated(rule: name) }
            guard let count = value.wholeNumber, (1...Self.maximumReleases).contains(count) else {
                throw .releases(value)
            }
            releases = count
        case "unseen":
            guard unseen == nil else { throw .repeated(rule: name) }
            unseen = try TimeSpan(parsing: value)
        default: throw .rule(line)
        }
    }

    /// Reads `COUNT/PERIOD burst COUNT`.
    private static func rate(_ text: String) throws(RuleError) -> ReleaseRate {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[1] == "burst", let burst = words[2].wholeNumber else {
            throw .rate(text: text, reason: "COUNT/PERIOD burst COUNT")
        }
        return try ReleaseRate(parsing: String(words[0]), burst: burst)
    }
}
