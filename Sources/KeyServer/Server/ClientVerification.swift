internal import Crypto
internal import Cryptography
internal import FoundationEssentials
internal import NIOSSL
internal import SwiftASN1
internal import X509

/// Whose certificates devices may show.
struct ClientVerification: Sendable {
    /// Certificates that sign others.
    private let authorities: [Certificate]

    /// Certificates that stand for themselves: the original's shared one.
    private let pinned: [Certificate]

    /// Sorts trusted certificates by what they may do.
    ///
    /// - Parameter pem: At least one certificate.
    /// - Throws: What the parser says.
    init(pem: SecretBytes) throws {
        let certificates = try PEMDocument.parseMultiple(pemString: pem.text)
            .filter { $0.discriminator == "CERTIFICATE" }
            .map { try Certificate(pemDocument: $0) }
        let sorted = try Dictionary(grouping: certificates) { certificate in
            switch try certificate.extensions.basicConstraints {
            case .isCertificateAuthority: true
            case .notCertificateAuthority: false
            // Version 1: a root if it signed itself, as many private authorities still are.
            case nil: certificate.extensions.isEmpty
            }
        }
        authorities = sorted[true] ?? []
        pinned = sorted[false] ?? []
    }

    /// SHA-256 of those that stand for themselves and could be a server's as well, as the original's
    /// shared one: whoever has it can pose as the server.
    var shared: Set<String> {
        get throws {
            var digests: Set<String> = []
            for certificate in pinned where Self.isForServers(certificate) {
                var serializer = DER.Serializer()
                try serializer.serialize(certificate)
                digests.insert(
                    Hexadecimal.encode(Crypto.SHA256.hash(data: serializer.serializedBytes))
                )
            }
            return digests
        }
    }

    /// Whether there is nobody to trust.
    var isEmpty: Bool { authorities.isEmpty && pinned.isEmpty }

    /// Takes the place of BoringSSL's verification, or `nil` where that will do.
    ///
    /// BoringSSL does not accept a certificate as its own issuer when its key usage lacks the
    /// signing of certificates, as the original's does; and the flag that would make it, partial
    /// chains, is out of reach.
    var callback: (@Sendable ([NIOSSLCertificate]) async throws -> NIOSSLVerificationResult)? {
        guard !pinned.isEmpty else { return nil }
        return { presented in
            let chain = try presented.map { try Certificate(derEncoded: $0.toDERBytes()) }
            return await trusts(chain) ? .certificateVerified : .failed
        }
    }

    /// Decides about a chain, the device's certificate first.
    func trusts(_ chain: [Certificate]) async -> Bool {
        guard let leaf = chain.first, Self.isForClients(leaf) else { return false }
        if pinned.contains(leaf) {
            let now = Date()
            return leaf.notValidBefore <= now && now <= leaf.notValidAfter
        }
        guard !authorities.isEmpty else { return false }
        var verifier = Verifier(rootCertificates: CertificateStore(authorities)) {
            RFC5280Policy()
        }
        let result = await verifier.validate(
            leaf: leaf,
            intermediates: CertificateStore(chain.dropFirst())
        )
        switch result {
        case .validCertificate: return true
        case .couldNotValidate: return false
        }
    }

    /// Whether the certificate names the purpose server; none named means every purpose.
    private static func isForServers(_ certificate: Certificate) -> Bool {
        guard let usage = try? certificate.extensions.extendedKeyUsage else { return true }
        return usage.contains(.serverAuth) || usage.contains(.any)
    }

    /// Whether the certificate names the purpose client; none named means every purpose.
    private static func isForClients(_ certificate: Certificate) -> Bool {
        do {
            guard let usage = try certificate.extensions.extendedKeyUsage else { return true }
            return usage.contains(.clientAuth) || usage.contains(.any)
        } catch {
            return false
        }
    }
}
