internal import ArgumentParser
internal import KeyServer
internal import Logging

/// `secure-store serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves keys to devices over mutual TLS.",
        discussion: """
            The certificates come from MTLS_CERT, MTLS_KEY and MTLS_CA (base64 PEM), else from \
            --cert, --key and --client-ca, else from the state directory ('secure-store ca \
            init'). The keys come from --password-file and --key-file, else from STORE_PASSWORD. \
            SIGTERM and SIGINT let requests in progress finish.
            """
    )

    @OptionGroup var state: StateOptions

    @Option(help: ArgumentHelp("Where devices call.", valueName: "addr:port"))
    var listen = "0.0.0.0:8443"

    @Option(
        help: ArgumentHelp("Where monitoring calls; 'none' for nowhere.", valueName: "addr:port")
    )
    var adminListen = "127.0.0.1:8444"

    @OptionGroup var certificates: CertificateOptions
    @OptionGroup var keys: ServedKeyOptions

    @Option(
        help: ArgumentHelp("Give keys to these addresses only; may be repeated.", valueName: "cidr")
    )
    var allow: [String] = []

    @Option(
        help: ArgumentHelp("Give no key to these addresses; may be repeated.", valueName: "cidr")
    )
    var deny: [String] = []

    @Flag(help: "Accept TLS 1.2 as well.")
    var legacy = false

    @Option(help: "Connections open at once.")
    var maxConnections = ServerLimits().connections

    @OptionGroup var log: LogOptions

    func validate() throws {
        guard (1...1_000_000).contains(maxConnections) else {
            throw ValidationError("--max-connections must be 1 to 1000000")
        }
    }

    func run() async throws {
        let logger = log.logger()
        var configuration = KeyServerConfiguration(
            listen: try ListenAddress(parsing: listen),
            adminListen: adminListen == "none" ? nil : try ListenAddress(parsing: adminListen),
            certificates: try certificates.load(from: state.directory),
            keys: try keys.load(),
            logger: logger
        )
        if state.directory.holdsStore || state.directory.holdsAuthority {
            configuration.storage = try state.directory.openStorage()
        }
        configuration.addresses = AddressPolicy(
            allowed: try allow.map(CIDRBlock.init),
            denied: try deny.map(CIDRBlock.init)
        )
        configuration.allowsTLS12 = legacy
        configuration.limits.connections = maxConnections
        try Hardening.apply(connections: maxConnections, logger: logger)
        let service = try KeyService(configuration)
        try ServeWarnings.log(for: configuration)
        try await service.run()
    }
}
