import Foundation
import TestSupport
import Testing

/// Programs that use a mount, in processes of their own: the tests' process must not wait for a
/// file system while it holds what others need.
enum Client {
    /// Runs a script of `Clients` with Python, and fails unless it ends well.
    @discardableResult
    static func run(
        _ script: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        timeout: Double = 300
    ) throws -> Subprocess.Output {
        let output = try start(script, arguments, environment: environment).wait(timeout: timeout)
        guard output.status == 0 else {
            throw MountedVolume.Failure(
                "\(script) \(arguments) ended with \(output.status): "
                    + output.errorText + output.text
            )
        }
        return output
    }

    /// Starts a script of `Clients`.
    static func start(
        _ script: String,
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> Subprocess {
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let command = ["-B", path(of: script)] + arguments
        return try Subprocess.start("python3", command, environment: all)
    }

    /// Starts a shell script of `Clients`; its name comes first.
    static func start(shell command: [String]) throws -> Subprocess {
        try Subprocess.start("sh", [path(of: command[0])] + command[1...])
    }

    private static func path(of script: String) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Clients").appendingPathComponent(script).path
    }

    /// Whether tests may take as long as they are meant to: `make test-long`.
    static let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"

    /// A number from the environment, for runs longer than what fits a continuous integration.
    static func number(
        _ variable: String,
        default value: Int,
        long: Int? = nil
    ) -> Int {
        ProcessInfo.processInfo.environment[variable].flatMap(Int.init)
            ?? (isLong ? long ?? value : value)
    }
}
