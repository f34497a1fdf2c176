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
        lines { name, value in [SecretBytes(text: "\(name)="), value, SecretBytes(text: "\n")] }
    }

    /// A shell script that sets the three on a device of balena's, with its own command.
    ///
    /// The values cross over in the environment, which `balena env set` reads where none is given:
    /// no private key stands on a command line.
    ///
    /// - Parameter device: Its UUID: hexadecimal digits.
    /// - Returns: The script.
    public func balenaScript(device: String) -> SecretBytes {
        let script = lines { name, value in
            [
                SecretBytes(text: "\(name)='"), value,
                SecretBytes(text: "' balena env set \(name) --device \(device)\n"),
            ]
        }
        return SecretBytes.concatenating([SecretBytes(text: "#!/bin/sh\nset -eu\n"), script])
    }

    private func lines(_ line: (String, SecretBytes) -> [SecretBytes]) -> SecretBytes {
        let values = [
            ("MTLS_CERT", certificate), ("MTLS_KEY", privateKey), ("MTLS_CA", authority),
        ]
        return SecretBytes.concatenating(
            values.flatMap { name, value in
                line(name, value.withUnsafeBytes { Base64.encodeSecret($0, as: .standard) })
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
