internal import Cryptography
internal import SwiftASN1
internal import X509
internal import _CryptoExtras

/// The original program's certificate: one, self-signed, that is authority, server and device.
///
/// Kept for devices that still run the original. Whoever steals one device can pose as the server;
/// ``CertificateAuthority`` is what takes its place.
public enum SharedCertificate {
    /// A hundred years, as the original's slip of ten for one made it.
    private static let days = 36_500

    /// Makes a certificate with the original's properties: RSA-4096 with SHA-256, serial number 0,
    /// the host name as subject and alternative name, purposes server and client.
    ///
    /// - Parameter hostName: The name devices call the server by.
    /// - Returns: The certificate, and its key in the form PKCS#1.
    /// - Throws: ``KeyServerError/hostName(_:)``, ``KeyServerError/issuing(reason:)``.
    public static func make(hostName: String) throws(KeyServerError) -> IssuedCertificate {
        let name = try HostName(hostName).generalName
        do {
            let rsa = try _RSA.Signing.PrivateKey(keySize: .bits4096)
            let key = Certificate.PrivateKey(rsa)
            let validity = Validity(days: days)
            let subject = try DistinguishedName { CommonName(hostName) }
            let certificate = try Certificate(
                version: .v3,
                serialNumber: .init(bytes: [0]),
                publicKey: key.publicKey,
                notValidBefore: validity.notBefore,
                notValidAfter: validity.notAfter,
                issuer: subject,
                subject: subject,
                signatureAlgorithm: .sha256WithRSAEncryption,
                extensions: Certificate.Extensions {
                    Critical(
                        KeyUsage(
                            digitalSignature: true,
                            keyEncipherment: true,
                            dataEncipherment: true,
                            keyAgreement: true
                        )
                    )
                    try ExtendedKeyUsage([.serverAuth, .clientAuth])
                    Critical(BasicConstraints.notCertificateAuthority)
                    SubjectAlternativeNames([name])
                },
                issuerPrivateKey: key
            )
            return IssuedCertificate(
                certificatePEM: SecretBytes(
                    text: try certificate.serializeAsPEM().pemString + "\n"
                ),
                // PKCS#1, as the original's.
                privateKeyPEM: SecretBytes(text: rsa.pemRepresentation + "\n")
            )
        } catch {
            throw .issuing(reason: "\(error)")
        }
    }
}
