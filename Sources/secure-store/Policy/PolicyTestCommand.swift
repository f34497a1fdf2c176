internal import AccessRules
internal import ArgumentParser
internal import KeyServer

/// `secure-store policy test`.
struct PolicyTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Says what would be decided about a request, and by which rule.",
        discussion: """
            Releases, counts and records nothing. Goes by the store: what a server was started \
            with (--allow, --deny, keys of its command line) is not known here. Exit code 1 where \
            the request would be refused.
            """
    )

    @Option(help: "Which device would ask.")
    var device: String

    @Option(help: "For which key; may be repeated.")
    var key: [String]

    @Option(help: "From where.")
    var from: String

    @Option(help: ArgumentHelp("When; now without it.", valueName: "yyyy-mm-ddThh:mm:ss±hh:mm"))
    var at: String?

    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        guard let address = IPAddress(from) else {
            throw ValidationError("'\(from)' is no IPv4 or IPv6 address")
        }
        let report = Report(
            try state.administration().testPolicy(
                device: device,
                keys: key,
                from: address,
                at: time()
            )
        )
        if json {
            try Output.json(report)
        } else {
            try Output.line(report.decision + (report.code.map { ": \($0)" } ?? ""))
            for rule in report.rules { try Output.line("  \(rule)") }
        }
        if report.code != nil { throw ExitCode(ExitStatus.failure.rawValue) }
    }

    private func time() throws -> Timestamp {
        guard let at else { return .now }
        guard let time = Timestamp(rfc3339: at) else {
            throw ValidationError("'\(at)' is no moment such as 2026-11-21T09:00:00Z or …+01:00")
        }
        return time
    }

    /// What is printed.
    private struct Report: Encodable {
        var decision: String
        var code: String?
        var retryAfter: Int?

        /// What decided: the one rule that refuses, or all that let the request pass.
        var rules: [String]

        private enum CodingKeys: String, CodingKey {
            case decision, code, rules
            case retryAfter = "retry_after"
        }

        init(_ test: PolicyTest) {
            switch test.decision {
            case .granted:
                decision = "granted"
                rules = test.grants.map { "key \($0.key): granted to \($0.to)" }
                for policy in test.policies {
                    rules += policy.rules.lines.map { "policy of \(policy.subject): \($0)" }
                }
            case .refused(let refusal):
                decision = "refused"
                code = refusal.code
                retryAfter = refusal.retryAfter
                rules = [refusal.detail]
            }
        }
    }
}
