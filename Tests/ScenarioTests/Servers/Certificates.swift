import Foundation
import TestSupport

/// Certificates made by `openssl`, so that nothing of ours judges itself.
struct Certificates: Sendable {
    /// Where they are; removed with the last copy.
    let directory: TemporaryDirectory

    /// The original's: one self-signed RSA-4096 pair that server and clients share, `cert.pem`, `key.pem`.
    ///
    /// - Parameter host: The server's name, in the subject and as alternative name.
    /// - Returns: The pair.
    /// - Throws: ``Docker/Failure`` with what `openssl` said.
    static func original(host: String) throws -> Certificates {
        let certificates = Certificates(directory: try TemporaryDirectory())
        try certificates.openssl([
            "req", "-x509", "-newkey", "rsa:4096", "-sha256", "-nodes", "-days", "30", "-keyout",
            "key.pem", "-out", "cert.pem", "-subj", "/O=Secure Store Server/CN=\(host)", "-addext",
            "subjectAltName=DNS:\(host)", "-addext", "extendedKeyUsage=clientAuth,serverAuth",
            "-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign",
        ])
        return certificates
    }

    /// An authority with a server's and a client's ECDSA certificate: `ca.pem`, `server.pem`,
    /// `server.key`, `client.pem`, `client.key`.
    ///
    /// - Parameter host: The server's name.
    /// - Returns: The six files.
    /// - Throws: ``Docker/Failure`` with what `openssl` said.
    static func authority(host: String) throws -> Certificates {
        let certificates = Certificates(directory: try TemporaryDirectory())
        try certificates.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority",
        ])
        for (name, extensions) in [
            ("server", "subjectAltName=DNS:\(host),IP:127.0.0.1\nextendedKeyUsage=serverAuth"),
            ("client", "extendedKeyUsage=clientAuth"),
        ] {
            try certificates.directory.write(extensions, to: "\(name).ext")
            try certificates.openssl([
                "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                "\(name).key", "-out", "\(name).csr", "-subj", "/CN=\(name)",
            ])
            try certificates.openssl([
                "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "30", "-extfile", "\(name).ext", "-out", "\(name).pem",
            ])
        }
        return certificates
    }

    /// The path of one of the files.
    func path(_ name: String) -> String { directory(name) }

    /// A file as a dashboard variable holds it.
    func base64(_ name: String) throws -> String {
        Data(try directory.read(name)).base64EncodedString()
    }

    private func openssl(_ arguments: [String]) throws {
        let output = try Subprocess.run("openssl", arguments, directory: directory.path)
        guard output.status == 0 else { throw Docker.Failure(description: output.errorText) }
    }
}
