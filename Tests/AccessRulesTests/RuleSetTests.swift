import AccessRules
import TestSupport
import Testing

@Suite struct `The rules of a policy` {
    private static let monday = 1_795_392_000_000  // 2026-11-23T00:00:00Z

    private func broken(
        _ rules: String,
        from address: String = "192.0.2.7",
        at now: Int = monday,
        unseen: Int? = nil,
        usage: RuleUsage = RuleUsage()
    ) throws -> String? {
        let rules = try RuleSet(parsing: rules)
        let circumstances = RuleSet.Circumstances(
            now: now,
            address: try #require(IPAddress(address)),
            unseen: unseen,
            usage: usage
        )
        let found = rules.lastingViolation(circumstances) ?? rules.passingViolation(circumstances)
        return found.map { "\($0.rule), \($0.retryAfter.map(String.init) ?? "never")" }
    }

    @Test(arguments: [
        ("allow 192.0.2.0/24", "192.0.2.7", nil),
        ("allow 192.0.2.0/24", "::ffff:192.0.2.7", nil),
        ("allow 198.51.100.0/24\nallow 2001:db8::/32", "2001:db8::1", nil),
        (
            "allow 198.51.100.0/24\nallow 2001:db8::/32", "192.0.2.7",
            "allow 198.51.100.0/24 or 2001:db8::/32, never"
        ),
        ("allow 192.0.2.0/24\ndeny 192.0.2.7", "192.0.2.7", "deny 192.0.2.7/32, never"),
        ("deny 192.0.2.0/24", "::ffff:192.0.2.7", "deny 192.0.2.0/24, never"),
        ("deny ::/0", "192.0.2.7", nil),
    ])
    func `go by addresses`(rules: String, address: String, expected: String?) throws {
        #expect(try broken(rules, from: address) == expected)
    }

    @Test func `go by hours, and say when they begin`() throws {
        let hours = "hours mon 00:00-01:00\nhours tue 12:00-13:00"
        #expect(try broken(hours) == nil)
        #expect(
            try broken(hours, at: Self.monday + 3_600_000)
                == "hours mon 00:00-01:00 Z or tue 12:00-13:00 Z, \(35 * 3600)"
        )
        #expect(
            try broken("hours mon 00:00-01:00", at: Self.monday + 3_600_000)
                == "hours mon 00:00-01:00 Z, \(7 * 86_400 - 3600)"
        )
    }

    @Test(arguments: [
        (3_600_000, nil), (3_600_001, "unseen 1h, never"), (-5, nil), (nil, nil),
    ])
    func `go by how long a device was away`(unseen: Int?, expected: String?) throws {
        #expect(try broken("unseen 1h", unseen: unseen) == expected)
    }

    @Test func `go by what it has had`() throws {
        for (had, expected) in [
            (0, nil), (2, nil), (3, "releases 3, never"), (4, "releases 3, never"),
        ] {
            let usage = RuleUsage(releases: had, level: 0, updatedAt: 0)
            #expect(try broken("releases 3", usage: usage) == expected)
        }
    }

    @Test func `say first what no waiting mends`() throws {
        let usage = RuleUsage(releases: 1, level: 60_000, updatedAt: Self.monday)
        #expect(
            try broken("rate 1/1m burst 1\nhours sun 00:00-24:00\nreleases 1", usage: usage)
                == "releases 1, never"
        )
        #expect(try broken("rate 1/1m burst 1", usage: usage) == "rate 1/1m burst 1, 60")
    }

    @Test func `let a burst through, and then the rate`() throws {
        let rules = try RuleSet(parsing: "rate 6/1m burst 3")
        var usage = RuleUsage()
        var granted: [Int] = []
        for second in 0..<60 {
            let now = Self.monday + second * 1000
            let circumstances = RuleSet.Circumstances(
                now: now,
                address: try #require(IPAddress("::1")),
                unseen: nil,
                usage: usage
            )
            if rules.passingViolation(circumstances) == nil {
                usage = rules.usage(after: usage, releaseAt: now)
                granted.append(second)
            }
        }
        #expect(granted == [0, 1, 2, 10, 20, 30, 40, 50])
    }

    @Test func `neither give nor take where the clock is set back`() throws {
        let rules = try RuleSet(parsing: "rate 1/1h burst 1")
        let usage = rules.usage(after: RuleUsage(), releaseAt: Self.monday)
        #expect(
            try broken("rate 1/1h burst 1", at: Self.monday - 9_000_000_000, usage: usage)
                == "rate 1/1h burst 1, 3600"
        )
        #expect(
            try broken("rate 1/1h burst 1", at: Self.monday + 3_600_000, usage: usage) == nil
        )
    }

    @Test(arguments: [
        "allow", "allow ", "allow 10.0.0.1/8", "permit 10.0.0.0/8", "rate 1/1h", "rate 1/1h burst",
        "rate 0/1h burst 1", "rate 1/0s burst 1", "rate 1/367d burst 1", "rate 1/1h burst 0",
        "rate 1000001/1h burst 1", "rate +1/1h burst 1", "releases 0", "releases -1", "releases x",
        "releases 1\nreleases 2", "unseen 1", "unseen 1y", "unseen h", "unseen 1h\nunseen 2h",
        "rate 1/1h burst 1\nrate 1/1h burst 1", " allow ::/0", "Allow ::/0",
    ])
    func `are not guessed from anything else`(text: String) {
        #expect(throws: RuleError.self) { try RuleSet(parsing: text) }
    }

    /// Deliberately naive: every release is a drop that a millisecond's tick takes a bit from.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `give what a slow evaluation gives`(seed: UInt64) throws {
        var random = Generator(state: seed)
        let count = Int.random(in: 1...5, using: &random)
        let burst = Int.random(in: 1...5, using: &random)
        let most = Int.random(in: 20...200, using: &random)
        let rules = try RuleSet(
            parsing: "rate \(count)/1s burst \(burst)\nreleases \(most)\nunseen 2s"
        )
        let share = (1000 + count - 1) / count
        var (water, releases, usage) = (0, 0, RuleUsage())
        var (now, last) = (Self.monday, Self.monday)
        for step in 0..<2000 {
            // Now and then the clock is set back; nothing runs out of the bucket then.
            let elapsed = Int.random(in: 0..<600, using: &random)
            if Int.random(in: 0..<50, using: &random) == 0 {
                now -= 5000
                continue
            }
            now += elapsed
            let sinceUpdate = now - usage.updatedAt
            var level = water
            if usage.updatedAt > 0, sinceUpdate > 0 {
                for _ in 0..<min(sinceUpdate, 100_000) where level > 0 { level -= 1 }
            }
            let unseen = now - last
            let expected = unseen <= 2000 && releases < most && level + share <= burst * share
            let circumstances = RuleSet.Circumstances(
                now: now,
                address: try #require(IPAddress("::1")),
                unseen: unseen,
                usage: usage
            )
            let permitted =
                rules.lastingViolation(circumstances) == nil
                && rules.passingViolation(circumstances) == nil
            try #require(permitted == expected, "seed \(seed), step \(step)")
            // Somebody restores a device that was away for too long.
            if unseen > 2000 { last = now }
            guard permitted else { continue }
            usage = rules.usage(after: usage, releaseAt: now)
            (water, releases, last) = (level + share, releases + 1, now)
        }
        #expect(releases > 10, "too few releases to show anything")
    }

    @Test func `come back from the form they are stored in`() throws {
        let text = """
            deny 192.0.2.7/32
            allow 192.0.2.0/24
            allow 2001:db8::/32
            hours mon,tue,wed,thu,fri 08:00-18:00 +01:00
            hours sat 10:00-14:00 Z
            rate 10/1h burst 3
            releases 1000
            unseen 2w
            """
        let rules = try RuleSet(parsing: text)
        #expect(rules.text == text)
        #expect(try RuleSet(parsing: rules.text) == rules)
        #expect(try RuleSet(parsing: "").isEmpty)
    }
}
