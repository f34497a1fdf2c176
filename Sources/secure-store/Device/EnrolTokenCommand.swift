internal import AccessRules
internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer

/// `secure-store device enroll-token`.
struct EnrolTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll-token",
        abstract: "One-time tokens that devices get their first certificate for.",
        discussion: """
            The device makes its key itself; 'secure-store enroll' or secure-init has it certified \
            by a server that was started with --enroll. The store keeps a token's hash only.
            """,
        subcommands: [EnrolTokenNew.self, EnrolTokenList.self, EnrolTokenRevoke.self]
    )
}

/// `secure-store device enroll-token new`.
struct EnrolTokenNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Makes a token, and shows it this once.",
        discussion: """
            NAME is the device's name, or a pattern for several: shop-{n} counts up, and {key} \
            stands for 12 digits of the device's key.
            """
    )

    @Argument(help: "The device's name, or a pattern.")
    var name: String

    @OptionGroup var state: StateOptions

    @Option(help: "The fleet its devices belong to.")
    var fleet: String?

    @Option(help: "A tag they get; may be repeated.")
    var tag: [String] = []

    @Option(help: "How many devices may use it.")
    var uses = 1

    @Option(help: ArgumentHelp("How long it is good.", valueName: "duration"))
    var expires = TimeSpan(seconds: 86_400)

    @Option(help: "For how many days their certificates are valid.")
    var days = 365

    @Flag(help: "Where there is a device of the name, take the place of its certificates.")
    var replace = false

    @Option(
        help: ArgumentHelp("Write it there, mode 0600, instead of printing it.", valueName: "file")
    )
    var out: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1_000_000).contains(uses) else {
            throw ValidationError("--uses must be 1 to 1000000")
        }
        guard (1...7300).contains(days) else {
            throw ValidationError("--days must be 1 to 7300")
        }
        guard (1...31_622_400).contains(expires.seconds) else {
            throw ValidationError("--expires must be 1s to 366d")
        }
    }

    func run() throws {
        let enrolment = NewEnrolment(
            name: try EnrolmentName(name),
            fleet: try fleet.map(Label.init),
            tags: try tag.map(Label.init),
            uses: uses,
            lifetime: expires.seconds,
            days: days,
            replaces: replace
        )
        guard !enrolment.name.isFixed || uses == 1 else {
            throw CommandFailure(
                .usage,
                "'\(name)' is one device's name: for several, make it a pattern such as "
                    + "'\(name)-{n}'"
            )
        }
        let (token, record) = try state.administration().addEnrolmentToken(enrolment) {
            token throws(KeyServerError) in
            guard let out else { return }
            let line = SecretBytes.concatenating([token.text, SecretBytes(copying: [0x0A])])
            try StateFile.create(out, contents: line, mode: 0o600)
        }
        if json {
            try Output.json(EnrolTokenReport(record, token: out == nil ? token : nil))
        } else if let out {
            try Output.line("Token \(token.id), until \(record.expiresAt), is in \(out)")
        } else {
            try Output.bytes(
                SecretBytes.concatenating([token.text, SecretBytes(copying: [0x0A])])
            )
        }
    }
}

/// `secure-store device enroll-token list`.
struct EnrolTokenList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the tokens there are, without what would make one usable."
    )

    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let reports = try state.administration().listEnrolmentTokens().map {
            EnrolTokenReport($0)
        }
        if json {
            try Output.json(["tokens": reports])
            return
        }
        for report in reports {
            try Output.line(
                "\(report.id)  \(report.status), \(report.uses) of \(report.maximum) used, until "
                    + "\(report.expires), for \(report.device)"
            )
        }
    }
}

/// `secure-store device enroll-token revoke`.
struct EnrolTokenRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Ends a token; devices that have used it keep what they got."
    )

    @Argument(help: "The token's id, as the list shows it.")
    var id: String

    @OptionGroup var state: StateOptions

    func run() throws { try state.administration().revokeEnrolmentToken(id) }
}

/// What is printed of a token.
private struct EnrolTokenReport: Encodable {
    var id: String
    var token: String?
    var device: String
    var status: String
    var fleet: String?
    var tags: [String]
    var uses: Int
    var maximum: Int
    var expires: String

    /// Copies what is printed; the token itself only where it has just been made.
    init(_ record: EnrolmentTokenRecord, token: EnrolmentToken? = nil) {
        id = record.id
        self.token = token?.text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        device = record.name
        status = record.status(at: .now)
        fleet = record.fleet
        tags = record.tags
        uses = record.uses
        maximum = record.maximum
        expires = "\(record.expiresAt)"
    }
}
