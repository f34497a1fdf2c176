import Foundation
import TestSupport

/// What a device shows to the key server, made for one test.
struct DeviceCredentials {
    /// As secure-init takes them.
    let environment: [String: String]

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
        environment = [
            "MTLS_KEY": Data(key).base64EncodedString(),
            "MTLS_CERT": Data(try directory.read("cert.pem")).base64EncodedString(),
        ]
    }
}

/// A device that waits for its key: the supervisor and the fetcher hold its credentials.
final class WaitingDevice {
    let device: Device
    let credentials: DeviceCredentials

    /// Starts it, and waits until it waits.
    ///
    /// - Parameter wrapper: A command that executes secure-init.
    /// - Throws: What starting it or `openssl` gave.
    init(wrapper: [String] = []) throws {
        credentials = try DeviceCredentials()
        let directory = try TemporaryDirectory()
        device = try Device(
            Self.options,
            environment: credentials.environment,
            wrapper: wrapper,
            directory: directory.path
        )
        try device.process.waitForOutput(containing: "waiting for the key")
    }

    /// Nobody listens on that port, so it waits for ever.
    static let options = ["--env-only", "--key-source", "https://localhost:7", "sleep", "77"]
}
