public import Cryptography

/// What a device needs to ask for keys, all PEM.
public struct DeviceCredentials: Sendable {
    /// Its certificate.
    public let certificate: SecretBytes

    /// Its private key.
    public let privateKey: SecretBytes

    /// The authority it trusts to name the server.
    public let authority: SecretBytes

    /// Gathers credentials.
    public init(certificate: SecretBytes, privateKey: SecretBytes, authority: SecretBytes) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.authority = authority
    }

    /// The three as variables: `MTLS_CERT=…`, `MTLS_KEY=…`, `MTLS_CA=…`, base64, a line each.
    public func environment() -> SecretBytes {
        let lines = [
            ("MTLS_CERT", certificate), ("MTLS_KEY", privateKey), ("MTLS_CA", authority),
        ]
        return SecretBytes.concatenating(
            lines.flatMap { name, value in
                [
                    SecretBytes(copying: "\(name)=".utf8),
                    value.withUnsafeBytes { Base64.encodeSecret($0, as: .standard) },
                    SecretBytes(copying: "\n".utf8),
                ]
            }
        )
    }

    /// Writes `cert.pem`, `key.pem`, `ca.pem` and `device.env` into a directory.
    ///
    /// - Parameter directory: Made where it is missing; no file in it is replaced.
    /// - Throws: ``KeyServerError``.
    public func write(to directory: String) throws(KeyServerError) {
        let files = [
            ("cert.pem", certificate, 0o644), ("key.pem", privateKey, 0o600),
            ("ca.pem", authority, 0o644), ("device.env", environment(), 0o600),
        ]
        try StateFile.createDirectory(directory)
        for (name, _, _) in files where StateFile.exists("\(directory)/\(name)") {
            throw .exists(path: "\(directory)/\(name)")
        }
        for (name, contents, mode) in files {
            try StateFile.create(
                "\(directory)/\(name)",
                contents: contents,
                mode: UInt32(mode)
            )
        }
    }
}
