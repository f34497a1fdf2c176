internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Synchronization

/// The certificates that new connections get: read again when their files change, or on SIGHUP.
///
/// Connections that are open keep what they began with. What cannot be used is not taken up: the
/// old certificates stay, and a line says why. See ADR 51.
final class LiveCertificates: Sendable {
    typealias Verification =
        @Sendable (
            [NIOSSLCertificate], EventLoopPromise<NIOSSLVerificationResult>
        ) -> Void

    /// Certificates in use.
    struct Loaded: Sendable {
        let context: NIOSSLContext
        let verification: Verification?
        let server: CertificateInfo
        let authority: CertificateInfo

        /// SHA-256 of the certificates that a device may show and a server, too.
        let shared: Set<String>

        init(
            _ certificates: ServerCertificates,
            minimum: TLSVersion,
            admitsStrangers: Bool,
            isLegacy: Bool
        ) throws(KeyServerError) {
            let configuration = try certificates.configuration(
                minimum: minimum,
                admitsStrangers: admitsStrangers
            )
            server = try certificates.info()
            authority = try CertificateInfo(
                pem: certificates.clientAuthorities,
                source: "the clients' authority"
            )
            do {
                shared = try certificates.clientVerification().shared
                guard isLegacy || shared.isEmpty else {
                    throw KeyServerError.sharedCertificate(source: certificates.source)
                }
                context = try NIOSSLContext(configuration: configuration)
                guard let verify = try certificates.clientVerification().callback else {
                    verification = nil
                    return
                }
                verification = { presented, promise in
                    promise.completeWithTask { try await verify(presented) }
                }
            } catch let error as KeyServerError {
                throw error
            } catch {
                throw .certificate(source: certificates.source, reason: "\(error)")
            }
        }
    }

    private struct State {
        var loaded: Loaded
        var stamps: [CertificateFiles.Stamp?]
        var lookedAt: NIODeadline
    }

    private let state: Mutex<State>
    private let files: CertificateFiles?
    private let minimum: TLSVersion
    private let admitsStrangers: Bool
    private let isLegacy: Bool
    private let metrics: ServerMetrics
    private let logger: Logger

    /// - Throws: ``KeyServerError/certificate(source:reason:)`` where certificate and key do not
    ///   fit.
    init(
        _ certificates: ServerCertificates,
        files: CertificateFiles?,
        admitsStrangers: Bool,
        isLegacy: Bool,
        metrics: ServerMetrics,
        logger: Logger
    ) throws(KeyServerError) {
        self.files = files
        minimum = isLegacy ? .tlsv12 : .tlsv13
        self.isLegacy = isLegacy
        self.admitsStrangers = admitsStrangers
        self.metrics = metrics
        self.logger = logger
        state = Mutex(
            State(
                loaded: try Loaded(
                    certificates,
                    minimum: minimum,
                    admitsStrangers: admitsStrangers,
                    isLegacy: isLegacy
                ),
                stamps: files?.stamps ?? [],
                lookedAt: .now()
            )
        )
    }

    /// What is in use.
    var loaded: Loaded { state.withLock { $0.loaded } }

    /// What a new connection gets; looks at the files once a second at most.
    func current() -> Loaded {
        state.withLock { state in
            let now = NIODeadline.now()
            guard let files, now - state.lookedAt >= .seconds(1) else { return state.loaded }
            state.lookedAt = now
            let stamps = files.stamps
            if stamps != state.stamps { load(files, stamps, into: &state) }
            return state.loaded
        }
    }

    /// Reads the files, changed or not.
    func reload() {
        guard let files else {
            logger.notice("The certificates come from variables, and stay as they are")
            return
        }
        state.withLock { load(files, files.stamps, into: &$0) }
    }

    /// What does not load is looked at again when the files have changed again.
    private func load(
        _ files: CertificateFiles,
        _ stamps: [CertificateFiles.Stamp?],
        into state: inout State
    ) {
        state.stamps = stamps
        do throws(KeyServerError) {
            state.loaded = try Loaded(
                files.load(),
                minimum: minimum,
                admitsStrangers: admitsStrangers,
                isLegacy: isLegacy
            )
            metrics.certificateReloads.add("success")
            logger.info(
                "Certificates read again",
                metadata: [
                    "fingerprint": "\(state.loaded.server.fingerprint)",
                    "until": "\(state.loaded.server.notAfter.date)",
                ]
            )
        } catch {
            metrics.certificateReloads.add("failure")
            logger.error(
                "Changed certificates cannot be used, and those before stay",
                metadata: ["reason": "\(error)"]
            )
        }
    }
}
