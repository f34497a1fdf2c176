internal import Cryptography

/// Where a server keeps what it needs: the authority, its own certificate, the store.
///
///     ca.pem  ca-key.pem  server.pem  server-key.pem  store.db
///
/// Keys and store are readable by the owner only; a device's key is never kept.
public struct StateDirectory: Sendable {
    /// The directory's path.
    public let path: String

    /// Names a directory; nothing is read or made.
    public init(_ path: String) {
        self.path = path
    }

    /// The authority's certificate.
    public var authorityCertificate: String { "\(path)/ca.pem" }

    /// The server's certificate.
    public var serverCertificate: String { "\(path)/server.pem" }

    /// The server's private key.
    public var serverKey: String { "\(path)/server-key.pem" }

    private var authorityKey: String { "\(path)/ca-key.pem" }

    /// Whether there is an authority here.
    public var holdsAuthority: Bool { StateFile.exists(authorityCertificate) }

    /// Makes an authority and a certificate for the server.
    ///
    /// - Parameter hostNames: Host names and addresses devices will call the server by.
    /// - Throws: ``KeyServerError``; ``KeyServerError/exists(path:)`` where there is one already.
    public func createAuthority(hostNames: [String]) throws(KeyServerError) {
        let authority = try CertificateAuthority.make()
        let server = try authority.issueServerCertificate(hostNames: hostNames)
        try StateFile.createDirectory(path)
        for file in [authorityCertificate, authorityKey] where StateFile.exists(file) {
            throw .exists(path: file)
        }
        try StateFile.create(authorityKey, contents: authority.privateKeyPEM(), mode: 0o600)
        try write(server, certificate: serverCertificate, key: serverKey)
        // Last: with it the directory counts as complete.
        try StateFile.create(
            authorityCertificate,
            contents: authority.certificatePEM(),
            mode: 0o644
        )
    }

    /// Gives the server another certificate, from the same authority.
    ///
    /// - Parameter hostNames: Host names and addresses devices will call the server by.
    /// - Throws: ``KeyServerError``.
    public func renewServerCertificate(hostNames: [String]) throws(KeyServerError) {
        let server = try authority().issueServerCertificate(hostNames: hostNames)
        try write(server, certificate: serverCertificate, key: serverKey, replacing: true)
    }

    /// Makes the directory of another server of the same store: the authority's certificate, without
    /// its key, and a certificate of the server's own.
    ///
    /// - Parameters:
    ///   - other: Where there is no authority yet.
    ///   - hostNames: Host names and addresses devices will call the server by.
    /// - Throws: ``KeyServerError``; ``KeyServerError/exists(path:)``.
    public func issueServer(
        into other: StateDirectory,
        hostNames: [String]
    ) throws(KeyServerError) {
        let authority = try authority()
        let server = try authority.issueServerCertificate(hostNames: hostNames)
        try StateFile.createDirectory(other.path)
        guard !other.holdsAuthority else { throw .exists(path: other.authorityCertificate) }
        try write(server, certificate: other.serverCertificate, key: other.serverKey)
        try StateFile.create(
            other.authorityCertificate,
            contents: authority.certificatePEM(),
            mode: 0o644
        )
    }

    /// Signs a certificate for a device; the store notes whose it is.
    ///
    /// - Parameters:
    ///   - name: The device's name: one label.
    ///   - days: How long the certificate is valid.
    /// - Returns: What the device needs.
    /// - Throws: ``KeyServerError``.
    public func issueDevice(
        _ name: DeviceName,
        days: Int
    ) throws(KeyServerError) -> DeviceCredentials {
        let authority = try authority()
        let issued = try authority.issueDeviceCertificate(name, days: days)
        return DeviceCredentials(
            certificate: issued.certificatePEM,
            privateKey: issued.privateKeyPEM,
            authority: try authority.certificatePEM()
        )
    }

    /// SHA-256 of the authority's certificate, 32 bytes.
    ///
    /// - Throws: ``KeyServerError``.
    func authorityDigest() throws(KeyServerError) -> [UInt8] {
        guard holdsAuthority else { throw .noAuthority(directory: path) }
        let info = try CertificateInfo(readingFile: authorityCertificate)
        do throws(CryptographyError) {
            return try SecretBytes(text: info.fingerprint).withUnsafeBytes {
                text throws(CryptographyError) in try Hexadecimal.decode(text)
            }
        } catch {
            throw .certificate(source: authorityCertificate, reason: "\(error)")
        }
    }

    /// The authority, to sign with.
    ///
    /// - Throws: ``KeyServerError/noAuthority(directory:)``.
    public func authority() throws(KeyServerError) -> CertificateAuthority {
        guard holdsAuthority else { throw .noAuthority(directory: path) }
        return try CertificateAuthority(
            certificatePEM: StateFile.read(authorityCertificate),
            privateKeyPEM: StateFile.read(authorityKey),
            source: authorityCertificate
        )
    }

    private func write(
        _ issued: IssuedCertificate,
        certificate: String,
        key: String,
        replacing: Bool = false
    ) throws(KeyServerError) {
        try StateFile.create(
            key,
            contents: issued.privateKeyPEM,
            mode: 0o600,
            replacing: replacing
        )
        try StateFile.create(
            certificate,
            contents: issued.certificatePEM,
            mode: 0o644,
            replacing: replacing
        )
    }
}
