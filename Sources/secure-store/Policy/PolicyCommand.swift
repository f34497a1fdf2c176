internal import AccessRules
internal import ArgumentParser
internal import KeyProtocol
internal import KeyServer

/// `secure-store policy`.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "From where, when and how often devices may have keys.",
        discussion: """
            A policy is about a device, all devices with a tag, a fleet, every device, or a key. \
            A request must satisfy every policy that is about it: none lets through what another \
            refuses. Changes count at once on a running server.
            """,
        subcommands: [Set.self, List.self, Show.self, Remove.self, PolicyTestCommand.self]
    )

    /// Whose requests a policy is about.
    struct Subject: ParsableArguments {
        @OptionGroup var devices: SubjectOptions

        @Option(help: "Requests for the key of this name.")
        var key: String?

        func validate() throws {
            guard devices.isGiven != (key != nil) else {
                throw ValidationError("give one of --device, --tag, --fleet, --all and --key")
            }
        }

        func subject() throws -> PolicySubject {
            guard let key else { return .devices(try devices.subject()) }
            guard KeyBundle.isName(key) else {
                throw ValidationError("a key's name has 1 to 128 letters, digits, '.', '_' or '-'")
            }
            return .key(key)
        }
    }

    /// `secure-store policy set`.
    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Sets a policy, in place of the one there was of the same subject.",
            discussion: """
                --hours is DAYS HH:MM-HH:MM [OFFSET], such as 'mon-fri 08:00-18:00 +01:00': days \
                are 'daily' or names and ranges; the offset from UTC is fixed (no daylight saving \
                time), Z where it is left out; hours may go past midnight.
                """
        )

        @OptionGroup var subject: Subject

        @Option(help: ArgumentHelp("Only from here; may be repeated.", valueName: "cidr"))
        var allow: [String] = []

        @Option(help: ArgumentHelp("Not from here; may be repeated.", valueName: "cidr"))
        var deny: [String] = []

        @Option(help: "Only then; may be repeated.")
        var hours: [String] = []

        @Option(
            help: ArgumentHelp("How often, each device by itself.", valueName: "count/period")
        )
        var rate: String?

        @Option(help: "How often at once, where the rate allows it; as the rate's count.")
        var burst: Int?

        @Option(help: "How often in all, each device by itself.")
        var maxReleases: Int?

        @Option(help: "No longer for a device that has had no key for so long.")
        var unseen: TimeSpan?

        @OptionGroup var state: StateOptions

        func validate() throws {
            guard rate != nil || burst == nil else {
                throw ValidationError("--burst goes with --rate")
            }
            guard (1...RuleSet.maximumReleases).contains(maxReleases ?? 1) else {
                throw ValidationError("--max-releases must be 1 to \(RuleSet.maximumReleases)")
            }
        }

        func run() throws {
            let rules = try rules()
            guard !rules.isEmpty else {
                throw ValidationError("give a rule, such as --allow 192.0.2.0/24")
            }
            try state.administration().setPolicy(rules, of: subject.subject())
        }

        private func rules() throws -> RuleSet {
            var rules = RuleSet()
            rules.addresses = AddressPolicy(
                allowed: try allow.map(CIDRBlock.init),
                denied: try deny.map(CIDRBlock.init)
            )
            rules.hours = try hours.map(WeekHours.init)
            rules.rate = try rate.map { try ReleaseRate(parsing: $0, burst: burst) }
            rules.releases = maxReleases
            rules.unseen = unseen
            return rules
        }
    }

    /// `secure-store policy list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Lists every policy, a rule a line."
        )

        @OptionGroup var state: StateOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let policies = try state.administration().listPolicies().map(Report.init)
            guard !json else {
                try Output.json(["policies": policies])
                return
            }
            for policy in policies {
                for rule in policy.rules { try Output.line("\(policy.subject)  \(rule)") }
            }
        }
    }

    /// `secure-store policy show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Shows a policy, a rule a line."
        )

        @OptionGroup var subject: Subject
        @OptionGroup var state: StateOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let report = Report(try state.administration().showPolicy(of: subject.subject()))
            guard !json else {
                try Output.json(report)
                return
            }
            for rule in report.rules { try Output.line(rule) }
        }
    }

    /// `secure-store policy remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Ends a policy, from this moment on, and forgets what it has counted."
        )

        @OptionGroup var subject: Subject
        @OptionGroup var state: StateOptions

        func run() throws { try state.administration().removePolicy(of: subject.subject()) }
    }

    /// What is printed of a policy.
    private struct Report: Encodable {
        var subject: String
        var rules: [String]
        var set: String

        init(_ record: PolicyRecord) {
            subject = "\(record.subject)"
            rules = record.rules.lines
            set = "\(record.setAt)"
        }
    }
}
