internal import FoundationEssentials
internal import X509

/// How long a certificate is valid.
struct Validity {
    var notBefore: Date
    var notAfter: Date

    private static let day = 86_400.0

    /// From yesterday, since a device's clock may be slow, for so many days from now.
    ///
    /// - Parameters:
    ///   - days: From now; at least one.
    ///   - issuer: A certificate beyond whose own validity there is no sense in going.
    init(days: Int, within issuer: Certificate? = nil) {
        let now = Date()
        notBefore = now - Self.day
        notAfter = now + Double(max(days, 1)) * Self.day
        if let issuer {
            notBefore = max(notBefore, issuer.notValidBefore)
            notAfter = min(notAfter, issuer.notValidAfter)
        }
    }
}

extension Certificate {
    /// Signs a certificate with the algorithm the issuer's key has for SHA-256.
    init(
        version: Version,
        serialNumber: SerialNumber,
        publicKey: PublicKey,
        validity: Validity,
        issuer: DistinguishedName,
        subject: DistinguishedName,
        extensions: Extensions,
        issuerPrivateKey: PrivateKey
    ) throws {
        try self.init(
            version: version,
            serialNumber: serialNumber,
            publicKey: publicKey,
            notValidBefore: validity.notBefore,
            notValidAfter: validity.notAfter,
            issuer: issuer,
            subject: subject,
            extensions: extensions,
            issuerPrivateKey: issuerPrivateKey
        )
    }
}
