import Foundation
import TestSupport

/// A device that waits for its key: the supervisor and the fetcher hold its credentials.
final class WaitingDevice {
    let device: Device

    /// A line of the private key's PEM text.
    let privateKey: [UInt8]

    init() throws {
        let directory = try TemporaryDirectory()
        _ = try Subprocess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory("key.pem"),
                "-out", directory("cert.pem"), "-days", "2", "-subj", "/CN=localhost",
            ]
        )
        let key = try directory.read("key.pem")
        privateKey = Array(key.split(separator: UInt8(ascii: "\n"))[5])
        device = try Device(
            Self.options,
            environment: [
                "MTLS_KEY": Data(key).base64EncodedString(),
                "MTLS_CERT": Data(try directory.read("cert.pem")).base64EncodedString(),
            ],
            directory: directory.path
        )
        try device.process.waitForOutput(containing: "waiting for the key")
    }

    /// Nobody listens on that port, so it waits for ever.
    static let options = ["--env-only", "--key-source", "https://localhost:7", "sleep", "77"]
}
