internal import AccessRules
internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer

/// `secure-store token`.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Signed tokens that devices show in place of a certificate.",
        discussion: """
            A server takes them with --tokens, always inside TLS, under the same grants, policies and \
            records as certificates, and renews them when half of their time is over.
            """,
        subcommands: [TokenNew.self, TokenList.self, TokenRevoke.self, TokenRotateKey.self]
    )
}

/// `secure-store token new`.
struct TokenNew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Makes a token for a device, and shows it this once.",
        discussion: "A device that is not there yet is added, without a certificate."
    )

    @OptionGroup var device: DeviceArgument
    @OptionGroup var state: StateOptions
    @OptionGroup var seal: SealOptions

    @Option(
        help: ArgumentHelp(
            "A key it is good for; may be repeated. Without it: all that the device may have.",
            valueName: "name"
        )
    )
    var key: [String] = []

    @Option(help: ArgumentHelp("How long it is good.", valueName: "duration"))
    var expires = TimeSpan(seconds: 30 * 86_400)

    @Option(help: "The fleet of a device that is added.")
    var fleet: String?

    @Option(help: "A tag of a device that is added; may be repeated.")
    var tag: [String] = []

    @Option(
        help: ArgumentHelp("Write it there, mode 0600, instead of printing it.", valueName: "file")
    )
    var out: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...31_622_400).contains(expires.seconds) else {
            throw ValidationError("--expires must be 1s to 366d")
        }
        guard key.count <= UnlockLimits.maximumKeys else {
            throw ValidationError("--key can be given \(UnlockLimits.maximumKeys) times")
        }
    }

    func run() throws {
        let administration = try state.administration()
        let new = NewToken(
            device: NewDevice(
                name: try DeviceName(device.name),
                fleet: try fleet.map(Label.init),
                tags: try tag.map(Label.init)
            ),
            keys: key.isEmpty ? nil : key,
            lifetime: expires.seconds
        )
        let vault = try seal.openVault(of: administration)
        let (token, record) = try administration.addToken(new, vault) {
            token throws(KeyServerError) in
            guard let out else { return }
            try StateFile.create(out, contents: Self.line(token), mode: 0o600)
        }
        if json {
            try Output.json(
                TokenReport(record, device: device.name, token: out == nil ? token : nil)
            )
        } else if let out {
            try Output.line("Token \(record.id), until \(record.expiresAt), is in \(out)")
        } else {
            try Output.bytes(Self.line(token))
        }
    }

    private static func line(_ token: SecretBytes) -> SecretBytes {
        SecretBytes.concatenating([token, SecretBytes(copying: [0x0A])])
    }
}

/// `secure-store token list`.
struct TokenList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists tokens, without what would make one usable."
    )

    @Option(help: "Of this device only.")
    var device: String?

    @OptionGroup var state: StateOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let reports = try state.administration().listTokens(ofDevice: device).map {
            TokenReport($0.token, device: $0.device)
        }
        if json {
            try Output.json(["tokens": reports])
            return
        }
        for report in reports {
            let keys = report.keys.map { ", keys \($0.joined(separator: " "))" } ?? ""
            try Output.line(
                "\(report.id)  \(report.device), \(report.status), until \(report.expires)\(keys)"
            )
        }
    }
}

/// `secure-store token revoke`.
struct TokenRevoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Has tokens be refused from this moment on, with those that renewed them."
    )

    @Argument(help: "The tokens' ids, as the list shows them.")
    var ids: [String] = []

    @Option(help: "All tokens of this device.")
    var device: String?

    @OptionGroup var state: StateOptions

    func validate() throws {
        guard ids.isEmpty != (device == nil) else {
            throw ValidationError("give tokens' ids, or --device NAME")
        }
    }

    func run() throws {
        let administration = try state.administration()
        if let device { try administration.revokeTokens(ofDevice: device) }
        for id in ids { try administration.revokeToken(id) }
    }
}

/// `secure-store token rotate-key`.
struct TokenRotateKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-key",
        abstract: "Has tokens be signed with a new key from now on, by every server of the store.",
        discussion: """
            Tokens that were signed before are good until they end, and devices' next ones are signed \
            with the new key. Where the old key may be known to somebody, --revoke-old: then no token \
            that was made before is taken, and each device needs another.
            """
    )

    @Flag(help: "Refuse all tokens there are, and whatever an older key has signed.")
    var revokeOld = false

    @OptionGroup var seal: SealOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        let administration = try state.administration()
        let vault = try seal.openVault(of: administration)
        let (id, revoked) = try administration.rotateTokenKey(vault, revokesOld: revokeOld)
        let tokens = revoked == 1 ? "1 token" : "\(revoked) tokens"
        try Output.line(
            "Tokens are signed with key \(id)" + (revokeOld ? "; \(tokens) revoked" : "")
        )
    }
}

/// What is printed of a token.
private struct TokenReport: Encodable {
    var id: String
    var token: String?
    var device: String
    var status: String
    var keys: [String]?
    var issued: String
    var expires: String

    /// Copies what is printed; the token itself only where it has just been made.
    init(_ record: TokenRecord, device: String, token: SecretBytes? = nil) {
        id = record.id
        self.token = token?.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        self.device = device
        keys = record.keys
        issued = "\(record.issuedAt)"
        expires = "\(record.expiresAt)"
        status =
            if record.revokedAt != nil {
                "revoked"
            } else if record.expiresAt.seconds <= Timestamp.now.seconds {
                "expired"
            } else {
                record.successor == nil ? "active" : "renewed"
            }
    }
}
