/// Why a text is no rule.
public enum RuleError: Error, Equatable, Sendable {
    /// The text is no block of addresses.
    case addressBlock(text: String, reason: String)

    /// The text is no length of time.
    case timeSpan(String)

    /// The text is no hours of the week.
    case hours(text: String, reason: String)

    /// The text is no rate.
    case rate(text: String, reason: String)

    /// The text is no number of releases.
    case releases(String)

    /// The line begins with no rule's name.
    case rule(String)

    /// A rule that may stand once stands twice.
    case repeated(rule: String)
}

extension RuleError: CustomStringConvertible {
    /// One line for a person: what was tried, what was found, what would help.
    public var description: String {
        switch self {
        case .addressBlock(let text, let reason):
            "'\(text)' is no block of addresses such as 192.0.2.0/24 or 2001:db8::/32: \(reason)"
        case .timeSpan(let text):
            "'\(text)' is no length of time such as 90s, 15m, 12h, 30d or 2w"
        case .hours(let text, let reason):
            "'\(text)' is no hours of the week such as 'mon-fri 08:00-18:00 +01:00': \(reason)"
        case .rate(let text, let reason):
            "'\(text)' is no rate such as 10/1h, with or without a burst: \(reason)"
        case .releases(let text):
            "'\(text)' is no number of releases from 1 to \(RuleSet.maximumReleases)"
        case .rule(let line):
            "'\(line)' is no rule: allow, deny, hours, rate, releases or unseen"
        case .repeated(let rule):
            "a policy has one rule '\(rule)' at most"
        }
    }
}
