internal import ArgumentParser
internal import Cryptography
internal import Glibc
internal import KeyProtocol
internal import KeyServer
internal import KeySources

/// `secure-store doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks for what keeps secure-init or the server from working.",
        discussion: """
            Run it where secure-init is to run: in the container, with the same flags. Names, \
            dates, certificates, the way to the server and the volume are looked at, and for \
            each fault it says what mends it. No key is asked for. Exit code 1 where something \
            does not work.
            """
    )

    @Flag(help: "No volume is to be mounted.")
    var envOnly = false

    @Option(
        help: ArgumentHelp(
            "The key server, as https://host[:port]. Without it: SECURE_INIT_KEY_SOURCE.",
            valueName: "url"
        )
    )
    var server: String?

    @Option(help: ArgumentHelp("The device's certificate, PEM.", valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("Who signs the server's certificate, PEM.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("Where the ciphertext is.", valueName: "dir"))
    var storage = "./storage"

    @Option(help: ArgumentHelp("Where the decrypted view is to be.", valueName: "dir"))
    var mount = "./decrypted"

    @Option(
        help: ArgumentHelp(
            "The volume's configuration; without it gocryptfs.conf in the storage, else "
                + "./encrypt.conf.",
            valueName: "file"
        )
    )
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A file holding the key, to try the volume with. Without it: STORE_PASSWORD.",
            valueName: "file"
        )
    )
    var keyFile: String?

    @OptionGroup var state: DirectoryOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        var checks = MachineChecks.run(withVolume: !envOnly)
        let credentials = try credentials()
        checks += CertificateChecks.device(credentials, now: .now)
        checks += try serverChecks(credentials)
        if !envOnly { checks += try volumeChecks() }
        if state.directory.holdsAuthority {
            checks += CertificateChecks.server(state.directory, now: .now)
        }
        let good = !checks.contains { $0.outcome == .failure }
        if json {
            try Output.json(Report(ok: good, checks: checks.map(Report.Line.init)))
        } else {
            for check in checks { try Output.line(check.text) }
        }
        if !good { throw ExitCode(ExitStatus.failure.rawValue) }
    }

    private func serverChecks(_ credentials: Credentials) throws -> [Check] {
        let source = server ?? getenv("SECURE_INIT_KEY_SOURCE").map { String(cString: $0) }
        guard let source, server != nil || source.hasPrefix("https://") else {
            return [.skipped("server", "none given: --server https://host[:port]")]
        }
        guard case .keyServer(let address) = try? KeySource(parsing: source) else {
            throw CommandFailure(.usage, "'\(source)' is no key server: https://host[:port]")
        }
        return ServerChecks.run(address, credentials)
    }

    private func volumeChecks() throws -> [Check] {
        let text =
            try keyFile.map { try SecretInput.read($0, limit: StoreKey.maximumCount + 2) }
            ?? SecretInput.take("STORE_PASSWORD")
        return VolumeChecks(
            storage: storage,
            configuration: config ?? VolumeChecks.configuration(of: storage),
            mount: mount,
            key: try text.map { try StoreKey($0) }
        ).run()
    }

    /// As secure-init finds them: variables first, then files.
    private func credentials() throws -> Credentials {
        var credentials = Credentials()
        let pair = [try Self.variable("MTLS_CERT"), try Self.variable("MTLS_KEY")]
        if let certificate = pair[0], let privateKey = pair[1] {
            credentials.certificate = certificate
            credentials.privateKey = privateKey
        } else if cert != nil || key != nil || StateFile.exists("./cert.pem") {
            credentials.certificate = try StateFile.read(cert ?? "./cert.pem")
            credentials.privateKey = try StateFile.read(key ?? "./key.pem")
        }
        credentials.authority = try Self.variable("MTLS_CA") ?? ca.map { try StateFile.read($0) }
        return credentials
    }

    private static func variable(_ name: String) throws -> SecretBytes? {
        try SecretInput.take(name).map { text in
            do {
                return try text.withUnsafeBytes { try Base64.decodeSecret($0, as: .standard) }
            } catch {
                throw KeyServerError.certificate(source: name, reason: "is no base64")
            }
        }
    }

    /// What `--json` prints.
    private struct Report: Encodable {
        struct Line: Encodable {
            var name: String
            var outcome: String
            var found: String
            var fix: String?

            init(_ check: Check) {
                name = check.name
                outcome = check.outcome.rawValue
                found = check.found
                fix = check.fix
            }
        }

        var ok: Bool
        var checks: [Line]
    }
}
