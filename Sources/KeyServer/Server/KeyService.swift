internal import AccessRules
internal import HummingbirdCore
internal import HummingbirdTLS
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
    private let tls: TLSConfiguration
    private let readiness = Readiness()

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
        tls = try configuration.certificates.configuration(
            minimum: configuration.allowsTLS12 ? .tlsv12 : .tlsv13
        )
    }

    /// Serves until SIGTERM or SIGINT, then lets requests in progress finish.
    ///
    /// - Throws: ``KeyServerError/listen(address:reason:)``, ``KeyServerError/stopped(reason:)``.
    public func run() async throws(KeyServerError) {
        var services: [any Service] = []
        if let address = configuration.adminListen {
            services.append(adminService(address))
        }
        do {
            // Services stop in reverse order: monitoring sees the whole of the shutdown.
            services.append(ReadinessService(readiness: readiness))
            services.insert(try keyService(), at: services.count - 1)
            var group = ServiceGroupConfiguration(
                services: services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: libraryLogger
            )
            group.maximumGracefulShutdownDuration = .seconds(configuration.limits.drainSeconds)
            try await ServiceGroup(configuration: group).run()
        } catch let error as KeyServerError {
            throw error
        } catch {
            throw .stopped(reason: "\(error)")
        }
        logger.info("Stopped")
    }

    private func keyService() throws -> any Service {
        let limits = configuration.limits
        let logger = logger
        let policy = ReleasePolicy(
            addresses: configuration.addresses,
            keyNames: Set(configuration.keys.names),
            canOpenStore: configuration.vault != nil
        )
        let responder = KeyResponder(
            decider: configuration.storage.map { ReleaseLedger(storage: $0, policy: policy) }
                ?? StorelessDecider(policy: policy),
            answers: ReleaseAnswer(ring: configuration.keys, vault: configuration.vault),
            limits: limits,
            logger: logger
        )
        let channel = MutualTLSChannel(
            base: try TLSChannel(
                HTTP1Channel(
                    responder: responder.respond,
                    configuration: http(limits, logger: logger)
                ),
                configuration: try tlsChannelConfiguration()
            ),
            proxies: configuration.proxies,
            logger: logger
        )
        let keys = configuration.keys
        return ListenerService(
            service: channel.server(
                configuration: server(configuration.listen),
                onServerRunning: { [readiness] channel in
                    readiness.isReady = true
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

    private func tlsChannelConfiguration() throws -> TLSChannelConfiguration {
        guard let verify = try configuration.certificates.clientVerification().callback else {
            return TLSChannelConfiguration(tlsConfiguration: tls)
        }
        return TLSChannelConfiguration(
            tlsConfiguration: tls,
            customAsyncVerificationCallback: verify
        )
    }

    private func adminService(_ address: ListenAddress) -> any Service {
        let logger = logger
        let channel = HTTP1Channel(
            responder: AdminResponder(readiness: readiness).respond,
            configuration: http(configuration.limits, logger: logger)
        )
        return ListenerService(
            service: channel.server(
                configuration: server(address),
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

    private func http(_ limits: ServerLimits, logger: Logger) -> HTTP1Channel.Configuration {
        .init(
            additionalChannelHandlers: [ConnectionGuard(limits: limits, logger: logger)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerCount,
                maxHeaderListSize: limits.headerCount,
                maxHeaderFieldCount: limits.headerFields
            )
        )
    }

    private func server(_ address: ListenAddress) -> ServerConfiguration {
        ServerConfiguration(
            address: .hostname("\(address.address)", port: Int(address.port)),
            backlog: configuration.limits.backlog,
            availableConnectionsDelegate: MaximumAvailableConnections(
                configuration.limits.connections,
                logger: libraryLogger
            )
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

/// Turns readiness off at the very beginning of a shutdown.
private struct ReadinessService: Service, CustomStringConvertible {
    let readiness: Readiness

    var description: String { "readiness" }

    func run() async throws {
        try await gracefulShutdown()
        readiness.isReady = false
    }
}
