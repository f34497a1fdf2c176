internal import Crypto
public import Cryptography
internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// The store's own authority: who it signs for is a device, and nobody else is.
///
/// ECDSA P-256 throughout. Devices get the purpose client only, servers the purpose server only,
/// so that a stolen device cannot pose as the server.
public struct CertificateAuthority: Sendable {
    private let certificate: Certificate
    private let privateKey: Certificate.PrivateKey

    /// Twenty years: it outlives the devices.
    private static let authorityDays = 7300

    /// Five years.
    private static let serverDays = 1825

    private init(certificate: Certificate, privateKey: Certificate.PrivateKey) {
        self.certificate = certificate
        self.privateKey = privateKey
    }

    /// Makes an authority.
    ///
    /// - Throws: ``KeyServerError/issuing(reason:)``.
    public static func make() throws(KeyServerError) -> CertificateAuthority {
        let privateKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        // Two authorities of one name are told apart by their serial numbers and key ids only.
        let suffix = Hexadecimal.encode(RandomBytes.make(count: 4))
        return try issuing {
            let name = try DistinguishedName { CommonName("Secure Store CA \(suffix)") }
            let certificate = try Certificate(
                version: .v3,
                serialNumber: .init(),
                publicKey: privateKey.publicKey,
                validity: Validity(days: authorityDays),
                issuer: name,
                subject: name,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                    SubjectKeyIdentifier(hash: privateKey.publicKey)
                },
                issuerPrivateKey: privateKey
            )
            return CertificateAuthority(certificate: certificate, privateKey: privateKey)
        }
    }

    /// Takes an authority from its files' contents.
    ///
    /// - Parameters:
    ///   - certificatePEM: One certificate.
    ///   - privateKeyPEM: Its key, PKCS#8 or SEC 1.
    ///   - source: How an error names it.
    /// - Throws: ``KeyServerError/certificate(source:reason:)``.
    public init(
        certificatePEM: SecretBytes,
        privateKeyPEM: SecretBytes,
        source: String
    ) throws(KeyServerError) {
        do {
            certificate = try Certificate(pemEncoded: certificatePEM.text)
            privateKey = try Certificate.PrivateKey(pemEncoded: privateKeyPEM.text)
        } catch {
            throw .certificate(source: source, reason: "\(error)")
        }
        guard certificate.publicKey == privateKey.publicKey else {
            throw .certificate(source: source, reason: "the private key is not this certificate's")
        }
    }

    /// Signs a certificate for the server.
    ///
    /// - Parameter hostNames: Host names and addresses devices will call it by; the first names it.
    /// - Returns: The certificate and its key.
    /// - Throws: ``KeyServerError/hostName(_:)``, ``KeyServerError/issuing(reason:)``.
    public func issueServerCertificate(
        hostNames: [String]
    ) throws(KeyServerError) -> IssuedCertificate {
        var names: [GeneralName] = []
        for name in hostNames { names.append(try HostName(name).generalName) }
        guard let first = hostNames.first else { throw .hostName("") }
        return try issue(
            commonName: first,
            names: names,
            usage: .serverAuth,
            days: Self.serverDays
        )
    }

    /// Signs a certificate for a device.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - days: How long it is valid.
    /// - Returns: The certificate and its key.
    /// - Throws: ``KeyServerError/issuing(reason:)``.
    public func issueDeviceCertificate(
        _ name: DeviceName,
        days: Int
    ) throws(KeyServerError) -> IssuedCertificate {
        try issue(
            commonName: name.text,
            names: [.dnsName(name.text)],
            usage: .clientAuth,
            days: days
        )
    }

    /// Signs a certificate for a key that a device made itself.
    ///
    /// - Parameters:
    ///   - request: The key; what else it asks for is passed over.
    ///   - name: The device's name.
    ///   - days: How long the certificate is valid.
    /// - Returns: The certificate, PEM.
    /// - Throws: ``KeyServerError/issuing(reason:)``.
    func certify(
        _ request: SigningRequest,
        for name: DeviceName,
        days: Int
    ) throws(KeyServerError) -> SecretBytes {
        try Self.issuing {
            try certify(
                request.publicKey,
                commonName: name.text,
                names: [.dnsName(name.text)],
                usage: .clientAuth,
                days: days
            )
        }
    }

    /// The certificate, PEM.
    ///
    /// - Throws: ``KeyServerError/issuing(reason:)``.
    public func certificatePEM() throws(KeyServerError) -> SecretBytes {
        try Self.issuing { try SecretBytes(text: certificate.serializeAsPEM().pemString + "\n") }
    }

    /// The private key, PEM.
    ///
    /// - Throws: ``KeyServerError/issuing(reason:)``.
    public func privateKeyPEM() throws(KeyServerError) -> SecretBytes {
        try Self.issuing { try SecretBytes(text: privateKey.serializeAsPEM().pemString + "\n") }
    }

    private func issue(
        commonName: String,
        names: [GeneralName],
        usage: ExtendedKeyUsage.Usage,
        days: Int
    ) throws(KeyServerError) -> IssuedCertificate {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        return try Self.issuing {
            IssuedCertificate(
                certificatePEM: try certify(
                    key.publicKey,
                    commonName: commonName,
                    names: names,
                    usage: usage,
                    days: days
                ),
                privateKeyPEM: try SecretBytes(text: key.serializeAsPEM().pemString + "\n")
            )
        }
    }

    private func certify(
        _ publicKey: Certificate.PublicKey,
        commonName: String,
        names: [GeneralName],
        usage: ExtendedKeyUsage.Usage,
        days: Int
    ) throws -> SecretBytes {
        let validity = Validity(days: days, within: certificate)
        let issued = try Certificate(
            version: .v3,
            serialNumber: .init(),
            publicKey: publicKey,
            validity: validity,
            issuer: certificate.subject,
            subject: DistinguishedName { CommonName(commonName) },
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([usage])
                SubjectAlternativeNames(names)
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: privateKey.publicKey)
                        .keyIdentifier
                )
            },
            issuerPrivateKey: privateKey
        )
        return try SecretBytes(text: issued.serializeAsPEM().pemString + "\n")
    }

    private static func issuing<Result>(
        _ body: () throws -> Result
    ) throws(KeyServerError) -> Result {
        do { return try body() } catch { throw .issuing(reason: "\(error)") }
    }
}
