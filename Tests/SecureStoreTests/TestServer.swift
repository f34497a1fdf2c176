import Foundation
import TestSupport
import Testing

/// A running `secure-store serve`, with a state directory and one device.
final class TestServer {
    static let sentinel = "sentinel-a1b2c3-\"quoted\"\\"

    let directory: TemporaryDirectory
    let process: Subprocess
    let port: String
    let adminPort: String

    /// Starts a server on ports of the kernel's choice.
    ///
    /// - Parameters:
    ///   - arguments: More for `serve`.
    ///   - environment: More variables.
    ///   - directory: One that was prepared before; by default a new one.
    ///   - launcher: A command that executes the server.
    ///   - adminAddress: Where it is to listen for monitoring.
    /// - Throws: Where it does not start.
    init(
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        in directory: TemporaryDirectory? = nil,
        launcher: [String] = [],
        adminAddress: String = "127.0.0.1"
    ) throws {
        self.directory = try directory ?? TemporaryDirectory()
        let directory = self.directory
        if !FileManager.default.fileExists(atPath: directory("state")) {
            try Self.prepare(directory)
        }
        var variables = ["PATH": "/usr/bin:/bin", "STORE_PASSWORD": Self.sentinel]
        variables.merge(environment) { $1 }
        let command =
            launcher + [
                Executables.secureStore, "serve", "--state", directory("state"), "--listen",
                "127.0.0.1:0",
                "--admin-listen", "\(adminAddress):0",
            ] + arguments
        process = try Subprocess.start(
            command[0],
            Array(command.dropFirst()),
            environment: variables
        )
        try process.waitForOutput(containing: "Listening for devices")
        try process.waitForOutput(containing: "Listening for monitoring")
        port = try Self.port(in: process.errorText, after: "Listening for devices")
        adminPort = try Self.port(in: process.errorText, after: "Listening for monitoring")
    }

    /// An authority for localhost, and a device `kiosk` with its files in `kiosk/`.
    static func prepare(_ directory: TemporaryDirectory) throws {
        let names = ["--hostname", "localhost", "--hostname", "127.0.0.1"]
        try succeed(directory, ["ca", "init"] + names)
        try succeed(directory, ["device", "add", "kiosk", "--out", directory("kiosk")])
    }

    private static func port(in log: String, after message: String) throws -> String {
        let line = try #require(log.split(separator: "\n").first { $0.contains(message) })
        let match = try #require(line.firstMatch(of: /(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)/))
        return String(match.1)
    }

    /// The base address of the key listener.
    var url: String { "https://127.0.0.1:\(port)" }

    /// The options that make curl the device.
    var credentials: [String] {
        [
            "--cert", directory("kiosk/cert.pem"), "--key", directory("kiosk/key.pem"),
            "--cacert", directory("kiosk/ca.pem"),
        ]
    }

    struct Answer {
        var exit: Int32
        var status: Int
        var body: String
    }

    /// Runs curl as the device.
    func get(_ path: String, _ more: [String] = [], input: [UInt8] = []) throws -> Answer {
        try Self.curl(credentials + more + ["\(url)\(path)"], input: input)
    }

    /// Runs curl.
    static func curl(_ arguments: [String], input: [UInt8] = []) throws -> Answer {
        let output = try Subprocess.run(
            "curl",
            ["-s", "-m", "20", "-w", "\n%{http_code}"] + arguments,
            standardInput: input
        )
        let text = output.text
        let end = text.lastIndex(of: "\n") ?? text.startIndex
        return Answer(
            exit: output.status,
            status: Int(text[end...].dropFirst()) ?? 0,
            body: String(text[..<end])
        )
    }

    /// An unlock request's body.
    static func unlock(_ keys: String...) -> String {
        let names = keys.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"device":"me","boot_id":"b","keys":[\#(names)],"version":"1"}"#
    }

    var log: String { process.errorText }

    /// Runs the tool on the server's state, as its operator.
    @discardableResult
    func administer(_ arguments: String...) throws -> Subprocess.Output {
        try administer(arguments)
    }

    /// The same, with the arguments in an array.
    @discardableResult
    func administer(_ arguments: [String]) throws -> Subprocess.Output {
        try Self.administer(directory, arguments)
    }

    /// Runs the tool on the state in a directory, whether a server runs or not.
    static func administer(
        _ directory: TemporaryDirectory,
        _ arguments: [String],
        input: String = ""
    ) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureStore,
            arguments + ["--state", directory("state")],
            environment: ["PATH": "/usr/bin:/bin"],
            standardInput: Array(input.utf8)
        )
    }

    /// The same, where it has to succeed.
    ///
    /// - Returns: What it prints.
    @discardableResult
    static func succeed(
        _ directory: TemporaryDirectory,
        _ arguments: [String]
    ) throws -> String {
        let output = try administer(directory, arguments)
        try #require(output.status == 0, "\(output.errorText)")
        return output.text
    }

    /// The figures that it gives for monitoring.
    func metrics() throws -> String {
        let answer = try Self.curl(["http://127.0.0.1:\(adminPort)/metrics"])
        try #require(answer.status == 200)
        return answer.body
    }

    /// The audit log's entries.
    func audit() throws -> [[String: Any]] {
        let output = try administer("audit", "tail", "--count", "100000")
        return try output.text.split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    /// Ends the server as an operator would.
    func stop() throws -> Subprocess.Output {
        process.signal(SIGTERM)
        return try process.wait(timeout: 15)
    }
}
