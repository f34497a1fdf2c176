internal import AccessRules
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
            init'). The keys come from the store there, opened with the root key; and from \
            --password-file and --key-file, else from STORE_PASSWORD: those go to every device. \
            Without the root key, devices wait until 'secure-store operator unseal' gives it. \
            Changed certificate files are read \
            again, and at SIGHUP; SIGTERM and SIGINT let requests in progress finish.
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
    @OptionGroup var root: RootKeyOptions

    @Option(
        help: ArgumentHelp("Give keys to these addresses only; may be repeated.", valueName: "cidr")
    )
    var allow: [String] = []

    @Option(
        help: ArgumentHelp("Give no key to these addresses; may be repeated.", valueName: "cidr")
    )
    var deny: [String] = []

    @Option(
        help: ArgumentHelp(
            "Proxies that begin each connection with a PROXY header; may be repeated.",
            valueName: "cidr"
        )
    )
    var proxy: [String] = []

    @Option(
        help: ArgumentHelp(
            "Forget unseal shares so long after the last, where others are missing.",
            valueName: "span"
        )
    )
    var unsealWithin = TimeSpan(seconds: 900)

    @Flag(help: "Give certificates to devices with a one-time token, and renew them.")
    var enroll = false

    @Flag(help: "Take signed tokens in place of certificates.")
    var tokens = false

    @Flag(help: "Accept the original's shared certificate, and TLS 1.2.")
    var legacy = false

    @Option(help: "Connections open at once.")
    var maxConnections = ServerLimits().connections

    @Option(
        help: ArgumentHelp(
            "After SIGTERM, go on so long while /readyz says 503.",
            valueName: "seconds"
        )
    )
    var drainDelay = 0

    @OptionGroup var log: LogOptions

    func validate() throws {
        guard (1...1_000_000).contains(maxConnections) else {
            throw ValidationError("--max-connections must be 1 to 1000000")
        }
        guard (0...3600).contains(drainDelay) else {
            throw ValidationError("--drain-delay must be 0 to 3600")
        }
    }

    /// The store, and what opens its keys, where there is one.
    private func openStore() throws -> (storage: any Storage, gate: StoreGate, isSealed: Bool)? {
        guard state.mayHoldStore else { return nil }
        let administration = try state.administration()
        let storage = administration.storage
        let vault = try openVault(administration)
        let gate = StoreGate(
            state.directory,
            storage: storage,
            vault: vault,
            patience: .seconds(unsealWithin.seconds)
        )
        return (storage, gate, try vault == nil && administration.hasSeal())
    }

    private func openVault(_ administration: Administration) throws -> KeyVault? {
        if let key = try root.readIfGiven() { return try administration.openVault(key) }
        // Somebody starts it by hand: without other keys there is nothing to do but ask. Those who
        // have shares come one by one.
        guard try administration.hasSeal(), try administration.shareSet() == nil,
            !keys.areGiven, Prompt.isPossible
        else { return nil }
        return try administration.openVault(root.read())
    }

    func run() async throws {
        let logger = log.logger()
        let store = try openStore()
        let certificateFiles = certificates.files(in: state.directory)
        var configuration = KeyServerConfiguration(
            listen: try ListenAddress(parsing: listen),
            adminListen: adminListen == "none" ? nil : try ListenAddress(parsing: adminListen),
            certificates: try certificates.load(from: state.directory),
            keys: try keys.load(mayBeEmpty: store.map { $0.gate.isOpen || $0.isSealed } ?? false),
            logger: logger
        )
        configuration.certificateFiles = certificateFiles
        configuration.storage = store?.storage
        configuration.directory = store == nil ? nil : state.directory
        configuration.gate = store?.gate
        if let store, store.isSealed {
            logger.warning(
                "The store's keys are sealed, and devices wait for them",
                metadata: ["remedy": "secure-store operator unseal, or --root-key-file"]
            )
        }
        configuration.addresses = AddressPolicy(
            allowed: try allow.map(CIDRBlock.init),
            denied: try deny.map(CIDRBlock.init)
        )
        configuration.proxies = try proxy.map(CIDRBlock.init)
        configuration.isLegacy = legacy
        configuration.acceptsTokens = tokens
        if tokens, store == nil {
            throw KeyServerError.noAuthority(directory: state.directory.path)
        }
        if tokens, let store, !store.gate.isOpen {
            logger.warning(
                "No token can be checked while the store is sealed",
                metadata: ["remedy": "secure-store operator unseal, or --root-key-file"]
            )
        }
        if enroll { configuration.authority = try state.directory.authority() }
        configuration.limits.connections = maxConnections
        configuration.limits.drainDelaySeconds = drainDelay
        try Hardening.apply(connections: maxConnections, logger: logger)
        let service = try KeyService(configuration)
        try ServeWarnings.log(for: configuration)
        try await service.run()
    }
}
