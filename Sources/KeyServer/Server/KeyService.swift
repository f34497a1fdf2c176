internal import AccessRules
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import ServiceLifecycle
internal import UnixSignals

/// The key server: a listener for devices, another for monitoring.
public struct KeyService: Sendable {
    private let configuration: KeyServerConfiguration
    private let logger: Logger
    private let libraryLogger: Logger
    private let readiness = Readiness()
    private let metrics = ServerMetrics()
    private let certificates: LiveCertificates
    private let admission: Admission
    private let registration: RegistrationDesk?

    /// Prepares a server.
    ///
    /// - Throws: ``KeyServerError`` where certificate and key do not fit.
    public init(_ configuration: KeyServerConfiguration) throws(KeyServerError) {
        self.configuration = configuration
        logger = configuration.logger
        var quiet = configuration.logger
        // What the libraries say below this is for those who debug them.
        quiet.logLevel = max(.error, configuration.logger.logLevel)
        if configuration.logger.logLevel <= .debug { quiet.logLevel = .debug }
        libraryLogger = quiet
        certificates = try LiveCertificates(
            configuration.certificates,
            files: configuration.certificateFiles,
            admitsStrangers: configuration.authority != nil || configuration.acceptsTokens,
            isLegacy: configuration.isLegacy,
            metrics: metrics,
            logger: logger
        )
        admission = Admission(limits: configuration.limits, logger: logger)
        registration = try Self.registration(configuration, metrics)
    }

    /// Serves until SIGTERM or SIGINT, then lets requests in progress finish.
    ///
    /// - Throws: ``KeyServerError/listen(address:reason:)``, ``KeyServerError/stopped(reason:)``.
    public func run() async throws(KeyServerError) {
        let ledger = configuration.storage.map {
            ReleaseLedger(
                storage: $0,
                policy: policy,
                metrics: metrics,
                gate: configuration.gate
            )
        }
        // Services stop in reverse order: monitoring sees the whole of the shutdown.
        var services: [any Service] = []
        if let address = configuration.adminListen {
            services.append(adminService(address, ledger))
        }
        if let directory = configuration.directory, let gate = configuration.gate {
            services.append(OperatorService(directory: directory, gate: gate, logger: logger))
            services.append(CheckpointService(gate: gate, logger: logger))
        }
        let limits = configuration.limits
        services += [
            ReloadService(certificates: certificates),
            keyService(decider: ledger ?? StorelessDecider(policy: policy)),
            ReadinessService(readiness: readiness, delaySeconds: limits.drainDelaySeconds),
        ]
        do {
            var group = ServiceGroupConfiguration(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: libraryLogger
            )
            group.maximumGracefulShutdownDuration = .seconds(
                limits.drainDelaySeconds + limits.drainSeconds
            )
            try await ServiceGroup(configuration: group).run()
        } catch let error as KeyServerError {
            throw error
        } catch {
            throw .stopped(reason: "\(error)")
        }
        logger.info("Stopped")
    }

    private var policy: ReleasePolicy { Self.policy(configuration) }

    private static func policy(_ configuration: KeyServerConfiguration) -> ReleasePolicy {
        ReleasePolicy(
            addresses: configuration.addresses,
            keyNames: Set(configuration.keys.names),
            canOpenStore: false
        )
    }

    /// What gives devices certificates, where that is wanted and there is a store to note it in.
    private static func registration(
        _ configuration: KeyServerConfiguration,
        _ metrics: ServerMetrics
    ) throws(KeyServerError) -> RegistrationDesk? {
        guard let authority = configuration.authority, let storage = configuration.storage else {
            return nil
        }
        return RegistrationDesk(
            registrar: try Registrar(
                storage: storage,
                authority: authority,
                policy: policy(configuration)
            ),
            limiter: AttemptLimiter(),
            metrics: metrics,
            logger: configuration.logger
        )
    }

    private func keyService(decider: any ReleaseDecider) -> any Service {
        let logger = logger
        let responder = KeyResponder(
            decider: decider,
            answers: ReleaseAnswer(ring: configuration.keys, gate: configuration.gate),
            certificates: certificates,
            registration: registration,
            gate: configuration.acceptsTokens
                ? TokenGate(
                    store: configuration.gate,
                    limiter: AttemptLimiter(),
                    metrics: metrics,
                    logger: logger
                )
                : nil,
            limits: configuration.limits,
            metrics: metrics,
            logger: logger
        )
        let channel = MutualTLSChannel(
            base: HTTP1Channel(responder: responder.respond, configuration: http(admission)),
            certificates: certificates,
            admission: admission,
            metrics: metrics,
            proxies: configuration.proxies,
            logger: logger
        )
        let keys = configuration.keys
        return ListenerService(
            service: channel.server(
                configuration: server(configuration.listen),
                onServerRunning: { [readiness, admission] channel in
                    // Fails only for a channel that is closed already.
                    try? await channel.eventLoop.submit {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(AdmissionHandler(admission), position: .first)
                    }.get()
                    readiness.serve()
                    logger.info(
                        "Listening for devices",
                        metadata: [
                            "address": "\(Self.name(of: channel))",
                            "keys": "\(keys.names.joined(separator: ","))",
                            "key_ids": "\(keys.names.map(keys.id).joined(separator: ","))",
                        ]
                    )
                },
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: libraryLogger
            ),
            address: configuration.listen
        )
    }

    private func adminService(_ address: ListenAddress, _ ledger: ReleaseLedger?) -> any Service {
        let logger = logger
        if !address.isLoopback {
            logger.warning(
                "Whoever reaches the address for monitoring learns how the server is",
                metadata: ["address": "\(address)", "remedy": "--admin-listen 127.0.0.1:8444"]
            )
        }
        let gate = configuration.gate
        let responder = AdminResponder(
            readiness: readiness,
            metrics: metrics,
            admission: admission,
            certificates: certificates,
            probe: configuration.storage.map { storage in
                StoreProbe(storage, metrics: metrics) { gate?.isOpen ?? false }
            },
            backlog: { ledger?.backlog ?? AuditBacklog() },
            isLoopback: address.isLoopback
        )
        let channel = HTTP1Channel(
            responder: responder.respond,
            configuration: http(nil)
        )
        return ListenerService(
            service: channel.server(
                configuration: server(address, limit: 64),
                onServerRunning: { channel in
                    logger.info(
                        "Listening for monitoring",
                        metadata: ["address": "\(Self.name(of: channel))"]
                    )
                },
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: libraryLogger
            ),
            address: address
        )
    }

    private func http(_ admission: Admission?) -> HTTP1Channel.Configuration {
        let (limits, metrics, logger) = (configuration.limits, metrics, logger)
        return .init(
            additionalChannelHandlers: [
                ConnectionGuard(
                    limits: limits,
                    admission: admission,
                    metrics: metrics,
                    logger: logger
                )
            ],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerCount,
                maxHeaderListSize: limits.headerCount,
                maxHeaderFieldCount: limits.headerFields
            )
        )
    }

    /// Sees to a limit on open connections itself, where one is given.
    private func server(_ address: ListenAddress, limit: Int? = nil) -> ServerConfiguration {
        ServerConfiguration(
            address: .hostname("\(address.address)", port: Int(address.port)),
            backlog: configuration.limits.backlog,
            availableConnectionsDelegate: limit.map {
                MaximumAvailableConnections($0, logger: libraryLogger)
            }
        )
    }

    private static func name(of channel: any Channel) -> String {
        guard let address = channel.localAddress, let ip = IPAddress(address),
            let port = address.port.flatMap(UInt16.init(exactly:))
        else { return "unknown" }
        return "\(ListenAddress(address: ip, port: port))"
    }
}

/// A listener whose failure to bind is named for what it is.
private struct ListenerService: Service, CustomStringConvertible {
    let service: any Service
    let address: ListenAddress

    var description: String { "listener \(address)" }

    func run() async throws {
        do {
            try await service.run()
        } catch let error as IOError {
            throw KeyServerError.listen(address: "\(address)", reason: "\(error)")
        }
    }
}

/// Turns readiness off at the very beginning of a shutdown, and gives whoever goes by it time.
private struct ReadinessService: Service, CustomStringConvertible {
    let readiness: Readiness
    let delaySeconds: Int

    var description: String { "readiness" }

    func run() async throws {
        try await gracefulShutdown()
        readiness.phase = .stopping
        try await Task.sleep(for: .seconds(delaySeconds))
    }
}

/// Reads certificates again at SIGHUP.
private struct ReloadService: Service, CustomStringConvertible {
    let certificates: LiveCertificates

    var description: String { "reloading" }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            certificates.reload()
        }
    }
}
