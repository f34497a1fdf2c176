public import Cryptography
internal import NIOCore
internal import NIOSSL

/// The server's certificate, its key, and whose devices it trusts: PEM.
public struct ServerCertificates: Sendable {
    /// The server's certificate, and those between it and its authority.
    public let certificate: SecretBytes

    /// The certificate's private key.
    public let privateKey: SecretBytes

    /// The authorities whose certificates devices may show.
    public let clientAuthorities: SecretBytes

    /// How errors and the log name the certificate.
    public let source: String

    /// Gathers certificates.
    ///
    /// - Parameters:
    ///   - certificate: The server's, and those between it and its authority.
    ///   - privateKey: Its private key, without a passphrase.
    ///   - clientAuthorities: The authorities whose certificates devices may show; a self-signed
    ///     certificate admits whoever holds its key.
    ///   - source: How errors and the log name the certificate.
    public init(
        certificate: SecretBytes,
        privateKey: SecretBytes,
        clientAuthorities: SecretBytes,
        source: String
    ) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.clientAuthorities = clientAuthorities
        self.source = source
    }

    /// Reads what a state directory holds.
    ///
    /// - Throws: ``KeyServerError``.
    public init(in state: StateDirectory) throws(KeyServerError) {
        guard state.holdsAuthority else { throw .noAuthority(directory: state.path) }
        self.init(
            certificate: try StateFile.read(state.serverCertificate),
            privateKey: try StateFile.read(state.serverKey),
            clientAuthorities: try StateFile.read(state.authorityCertificate),
            source: state.serverCertificate
        )
    }

    /// What the certificate says.
    ///
    /// - Throws: ``KeyServerError/certificate(source:reason:)``.
    public func info() throws(KeyServerError) -> CertificateInfo {
        try CertificateInfo(pem: certificate, source: source)
    }

    /// The TLS settings: the client must show a certificate of an authority, for the purpose
    /// client, within its dates.
    ///
    /// - Parameters:
    ///   - minimum: The oldest version spoken.
    ///   - admitsStrangers: Whether a client need not show a certificate; one that it shows must be
    ///     as good as ever. The authority's certificate then goes out behind the server's: who
    ///     enrols may know it by its digest only.
    /// - Returns: Settings the TLS library has accepted.
    /// - Throws: ``KeyServerError/certificate(source:reason:)``.
    func configuration(
        minimum: TLSVersion,
        admitsStrangers: Bool = false
    ) throws(KeyServerError) -> TLSConfiguration {
        do {
            guard try !clientVerification().isEmpty else {
                throw KeyServerError.certificate(
                    source: "the clients' authority",
                    reason: "holds no certificate"
                )
            }
            var chain = try Self.certificates(certificate)
            if admitsStrangers {
                for authority in try Self.certificates(clientAuthorities)
                where !chain.contains(authority) { chain.append(authority) }
            }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try Self.privateKey(privateKey))
            )
            configuration.minimumTLSVersion = minimum
            configuration.maximumTLSVersion = .tlsv13
            configuration.trustRoots = .certificates(try Self.certificates(clientAuthorities))
            // Devices have no host names that could be checked; everything else is.
            configuration.certificateVerification =
                admitsStrangers ? .optionalVerification : .noHostnameVerification
            configuration.applicationProtocols = ["http/1.1"]
            configuration.shutdownTimeout = .seconds(2)
            // Finds out now, not at the first connection, whether key and certificate fit.
            _ = try NIOSSLContext(configuration: configuration)
            return configuration
        } catch let error as KeyServerError {
            throw error
        } catch {
            throw .certificate(source: source, reason: "certificate and key do not fit: \(error)")
        }
    }

    /// Whose certificates devices may show.
    func clientVerification() throws -> ClientVerification {
        try ClientVerification(pem: clientAuthorities)
    }

    private static func certificates(_ pem: SecretBytes) throws -> [NIOSSLCertificate] {
        let certificates = try pem.withUnsafeBytes { try NIOSSLCertificate.fromPEMBytes(Array($0)) }
        return certificates
    }

    private static func privateKey(_ pem: SecretBytes) throws -> NIOSSLPrivateKey {
        // The library takes an array; this one is wiped again.
        var bytes = pem.withUnsafeBytes { Array($0) }
        defer { bytes.withUnsafeMutableBytes { Wipe.zero($0) } }
        return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
    }
}
