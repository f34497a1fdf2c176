internal import ArgumentParser
internal import BalenaAPI
internal import Cryptography
internal import KeyProtocol
internal import KeyServer
internal import KeySources

/// `secure-store balena`.
struct BalenaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balena",
        abstract: "Sets variables of balena's devices and fleets, by its API.",
        subcommands: [BalenaPush.self, BalenaDevices.self]
    )
}

/// Where balena's API is, and as whom to ask it.
struct BalenaOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file holding an access token or API key; - for standard input. Without it: "
                + "BALENA_TOKEN or BALENA_API_KEY, else a prompt.",
            valueName: "file"
        )
    )
    var tokenFile: String?

    @Option(help: ArgumentHelp("The API's address.", valueName: "url"))
    var api = BalenaClient.defaultAddress

    @Option(
        help: ArgumentHelp(
            "The certificates trusted to name it, PEM; without it, this machine's.",
            valueName: "file"
        )
    )
    var ca: String?

    @Option(help: ArgumentHelp("The most requests a second.", valueName: "n"))
    var rate = BalenaClient.defaultRate

    @Option(help: ArgumentHelp("How long an answer may take.", valueName: "seconds"))
    var timeout = 30

    func validate() throws {
        guard (1...100).contains(rate) else { throw ValidationError("--rate must be 1 to 100") }
        guard (1...600).contains(timeout) else {
            throw ValidationError("--timeout must be 1 to 600")
        }
    }

    /// Reads token and certificates; nothing is sent.
    func client() throws -> BalenaClient {
        try BalenaClient(
            address: address(),
            authorities: authorities(),
            token: token(),
            agent: "secure-store/\(ProductVersion.text)",
            rate: rate,
            answerLimit: .seconds(timeout),
            report: { Program.report($0) }
        )
    }

    private func address() throws -> ServerAddress {
        guard api.hasPrefix("https://") else {
            throw CommandFailure(.usage, "--api takes an address that begins with https://")
        }
        do throws(KeySourceError) {
            return try ServerAddress(parsing: api.dropFirst("https://".count), defaultPort: 443)
        } catch {
            throw CommandFailure(.usage, "--api: \(error)")
        }
    }

    /// Where Debian, Alpine and Arch, then Fedora, keep what they trust.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ]

    private func authorities() throws -> SecretBytes {
        guard let path = ca ?? Self.bundles.first(where: { StateFile.exists($0) }) else {
            throw CommandFailure(
                .configuration,
                "this machine has no \(Self.bundles[0]) (ca-certificates): name one with --ca"
            )
        }
        return try SecretInput.read(path, limit: 4 << 20, keepsNewline: true)
    }

    private func token() throws -> SecretBytes {
        if let tokenFile { return try SecretInput.read(tokenFile, limit: 8192) }
        let variables = ["BALENA_TOKEN", "BALENA_API_KEY"].compactMap(SecretInput.take)
        if let token = variables.first { return token }
        guard Prompt.isPossible else {
            throw CommandFailure(
                .usage,
                "no token: name a file with --token-file, or set BALENA_TOKEN"
            )
        }
        return try Prompt.ask("balena token")
    }
}
