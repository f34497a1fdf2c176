internal import Cryptography

/// Credentials that are complete: they can be shown to a server, and there is something to trust.
struct UsableCredentials: ~Copyable {
    static let certificateName = "the client certificate (--cert or MTLS_CERT)"
    static let keyName = "the private key (--key or MTLS_KEY)"
    static let authorityName = "the CA certificate (--ca or MTLS_CA)"

    /// Comes with ``privateKey``, or not at all.
    let certificate: SecretBytes?
    let privateKey: SecretBytes?

    /// What the server's certificate has to lead to; nil where ``pin`` says it.
    let anchor: SecretBytes?

    /// SHA-256 of what it has to lead to.
    let pin: [UInt8]?

    /// Whether ``anchor`` is the device's own certificate.
    let anchorIsOwn: Bool

    /// Checks that nothing is missing.
    ///
    /// - Throws: ``FetchError/misconfigured(message:)``.
    init(_ credentials: Credentials) throws(FetchError) {
        switch (credentials.certificate, credentials.privateKey) {
        case (nil, _?) where credentials.enrolmentToken != nil:
            // The key is to be certified; there is nothing to show yet.
            break
        case (nil, nil):
            guard credentials.token != nil else {
                throw .misconfigured(
                    message: "no credentials for the key server: give --cert and --key "
                        + "(or MTLS_CERT and MTLS_KEY), or --token-file (or STORE_TOKEN)"
                )
            }
        case (nil, _?):
            throw .misconfigured(
                message: "\(Self.keyName) is given without \(Self.certificateName)"
            )
        case (_?, nil):
            throw .misconfigured(
                message: "\(Self.certificateName) is given without \(Self.keyName)"
            )
        case (_?, _?):
            break
        }
        let pin = credentials.authority == nil ? credentials.authorityFingerprint : nil
        let anchor = credentials.authority ?? (pin == nil ? credentials.certificate : nil)
        guard anchor != nil || pin != nil else {
            throw .misconfigured(
                message: "nothing to trust the key server by: with a token and no client "
                    + "certificate, give --ca or MTLS_CA"
            )
        }
        self.anchor = anchor
        self.pin = pin
        certificate = credentials.certificate
        privateKey = credentials.certificate == nil ? nil : credentials.privateKey
        anchorIsOwn = credentials.trustsOwn
    }

    /// What to call ``anchor`` in a message.
    var anchorName: String { anchorIsOwn ? Self.certificateName : Self.authorityName }
}
