import Foundation
import TestSupport
import Testing

extension TestServer {
    /// Runs a Python script that plays devices, with `device.py` of the fixtures as `from device
    /// import *`, and expects that all it asserts holds.
    ///
    /// - Returns: What it printed.
    @discardableResult
    func play(
        _ script: String,
        environment: [String: String] = [:],
        timeout: Double = 120,
        at location: SourceLocation = #_sourceLocation
    ) throws -> String {
        let output = try startScript(script, environment: environment).wait(timeout: timeout)
        #expect(
            output.status == 0,
            "\(output.text)\(output.errorText)\(log.suffix(4000))",
            sourceLocation: location
        )
        return output.text
    }

    /// The same, without waiting for its end.
    func startScript(
        _ script: String,
        environment: [String: String] = [:]
    ) throws -> Subprocess {
        var variables = [
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": Fixtures.path("key-server"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SERVER_PORT": port,
            "ADMIN_PORT": adminPort,
            "FILES": directory.path,
            "SECURE_STORE": Executables.secureStore,
            "SERVER_PID": "\(process.pid)",
        ]
        variables.merge(environment) { $1 }
        return try Subprocess.start(
            "python3",
            ["-c", "from device import *\n" + script],
            environment: variables
        )
    }
}
