import Foundation
import TestSupport

/// The `docker` command, run against whichever engine answers.
enum Docker {
    /// Something an engine refused, with its words.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs `docker` to its end, whatever comes out.
    ///
    /// - Parameters:
    ///   - arguments: As on the command line.
    ///   - timeout: Seconds.
    /// - Returns: How it ended; for `docker run` in the foreground that is the container's own code.
    /// - Throws: ``Subprocess/TimedOut``.
    static func run(_ arguments: [String], timeout: Double = 60) throws -> Subprocess.Output {
        try Subprocess.run("docker", arguments, environment: environment, timeout: timeout)
    }

    /// Runs `docker` and insists that it succeeds.
    ///
    /// - Returns: Standard output without the newline at its end.
    @discardableResult
    static func succeed(_ arguments: String..., timeout: Double = 60) throws -> String {
        let output = try run(arguments, timeout: timeout)
        guard output.status == 0 else {
            throw Failure(
                description: "docker \(arguments.joined(separator: " ")): \(output.errorText)"
            )
        }
        return output.text.trimmingCharacters(in: .newlines)
    }

    /// A name that no other run uses, and that says whose it is.
    static func uniqueName(_ role: String) -> String {
        "secure-store-test-\(role)-\(UUID().uuidString.lowercased().prefix(8))"
    }

    /// Debian's client has no BuildKit plugin; every engine still has the classic builder.
    static let environment = ProcessInfo.processInfo.environment.merging(
        ["DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"],
        uniquingKeysWith: { $1 }
    )
}
