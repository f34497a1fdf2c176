public import Cryptography

/// A new certificate and its private key, both PEM.
public struct IssuedCertificate: Sendable {
    /// The certificate.
    public let certificatePEM: SecretBytes

    /// Its private key.
    public let privateKeyPEM: SecretBytes
}
