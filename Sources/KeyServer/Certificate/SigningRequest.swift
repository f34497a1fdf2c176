internal import Crypto
internal import Cryptography
internal import SwiftASN1
internal import X509

/// What a device asks a certificate with (PKCS#10), of which nothing counts but the key.
///
/// The name, the extensions and every attribute it asks for are passed over: what a certificate
/// says is the server's to say.
struct SigningRequest {
    /// The key to certify: ECDSA P-256.
    let publicKey: Certificate.PublicKey

    /// SHA-256 of the key, hexadecimal.
    let digest: String

    /// Reads a request, and checks that who made it holds the key.
    ///
    /// - Parameter pem: One request.
    /// - Throws: ``KeyServerError/signingRequest(reason:)``.
    init(pem: String) throws(KeyServerError) {
        let request: CertificateSigningRequest
        do {
            request = try CertificateSigningRequest(pemEncoded: pem)
        } catch {
            throw .signingRequest(reason: "is no PKCS#10 in PEM")
        }
        guard let key = P256.Signing.PublicKey(request.publicKey) else {
            throw .signingRequest(reason: "is for a key that is not ECDSA P-256")
        }
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw .signingRequest(reason: "is not signed with its own key")
        }
        publicKey = request.publicKey
        digest = Self.digest(of: key)
    }

    /// SHA-256 of a certificate's key as ``digest`` has it; `nil` where that is no P-256.
    static func digest(ofCertificate pem: String) -> String? {
        guard let certificate = try? Certificate(pemEncoded: pem),
            let key = P256.Signing.PublicKey(certificate.publicKey)
        else { return nil }
        return digest(of: key)
    }

    private static func digest(of key: P256.Signing.PublicKey) -> String {
        Hexadecimal.encode(Crypto.SHA256.hash(data: key.x963Representation))
    }
}
