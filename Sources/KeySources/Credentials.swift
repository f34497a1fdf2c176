public import Cryptography

/// What a device shows a key server, and what it trusts it by; all PEM but the token.
///
/// Held in memory from start to end: never a file's name, never written anywhere.
public struct Credentials: Sendable {
    /// The device's certificate, followed by those that lead from it to the authority, if any.
    public var certificate: SecretBytes?

    /// The certificate's private key, unencrypted.
    public var privateKey: SecretBytes?

    /// The authority's certificates.
    ///
    /// Without them the device's own certificate is the trust anchor, as in the original, where
    /// client and server share one.
    public var authority: SecretBytes?

    /// A bearer token (RFC 6750), in place of a certificate or beside one.
    public var token: SecretBytes?

    /// SHA-256 of the DER form of the authority's certificate, where that itself is not known yet.
    public var authorityFingerprint: [UInt8]?

    /// A one-time token for a first certificate, for the key in ``privateKey``.
    public var enrolmentToken: SecretBytes?

    /// Whether nothing is trusted but the device's own certificate.
    var trustsOwn: Bool { authority == nil && authorityFingerprint == nil }

    /// Creates credentials that hold nothing yet.
    public init() {}
}
