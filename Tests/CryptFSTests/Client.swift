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
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Clients").appendingPathComponent(script).path
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        return try Subprocess.start("python3", ["-B", path] + arguments, environment: all)
    }

    /// A number from the environment, for runs longer than what fits a continuous integration.
    static func number(_ variable: String, default value: Int) -> Int {
        ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? value
    }
}
