import TestSupport

@testable import KeySources

/// The listeners of `hostile.py`, in one process for all tests.
final class HostileServer: Sendable {
    /// Started at first use.
    static let shared = Result { try HostileServer() }

    let certificates: TestCertificates
    private let process: Subprocess
    private let ports: [String: UInt16]

    init() throws {
        certificates = try TestCertificates.shared.get()
        process = try Subprocess.start(
            "python3",
            [Fixtures.path("key-server/hostile.py"), certificates.directory.path]
        )
        try process.waitForOutput(containing: "ready")
        var ports: [String: UInt16] = [:]
        for line in process.text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2 { ports[String(parts[0])] = UInt16(parts[1]) }
        }
        self.ports = ports
    }

    /// The address of a listener, and of a behaviour of its.
    func address(
        _ listener: String,
        _ behaviour: String = "good",
        host: String = "localhost"
    ) -> ServerAddress {
        ServerAddress(host: host, port: ports[listener] ?? 1, path: "/\(behaviour)")
    }
}
