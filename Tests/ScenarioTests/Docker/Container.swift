import Foundation
import TestSupport

/// A container, started in the background and removed when the last reference goes.
final class Container: Sendable {
    /// Its name, which is what `docker` is asked for.
    let name: String

    /// Starts a container.
    ///
    /// - Parameters:
    ///   - image: The image's name.
    ///   - options: Of `docker run`.
    ///   - arguments: What follows the image's name.
    /// - Throws: ``Docker/Failure`` with the engine's words.
    init(_ image: String, options: [String] = [], _ arguments: [String] = []) throws {
        name = Docker.uniqueName("container")
        let output = try Docker.run(
            ["run", "--detach", "--name", name] + options + [image] + arguments
        )
        // 125: the engine itself failed. Anything else is the program's business.
        guard output.status == 0 else {
            throw Docker.Failure(description: "docker run: \(output.errorText)")
        }
    }

    deinit {
        _ = try? Docker.run(["rm", "--force", "--volumes", name])
    }

    /// Everything it has written so far, standard output first.
    var log: String { log(toItsEnd: !isRunning) }

    /// What it has written.
    ///
    /// - Parameter toItsEnd: Until the engine has all of it, which may be a moment after the
    ///   container has ended.
    /// - Returns: Standard output first.
    private func log(toItsEnd: Bool) -> String {
        let options = toItsEnd ? ["--follow"] : []
        guard let output = try? Docker.run(["logs"] + options + [name]) else { return "" }
        return output.text + output.errorText
    }

    /// Whether it is still running.
    var isRunning: Bool {
        (try? Docker.succeed("inspect", "--format", "{{.State.Running}}", name)) == "true"
    }

    /// Waits for its end.
    ///
    /// - Returns: Its exit code.
    func wait(timeout: Double = 60) throws -> Int32 {
        let code = try Docker.succeed("wait", name, timeout: timeout)
        guard let code = Int32(code) else { throw Docker.Failure(description: "wait: \(code)") }
        return code
    }

    /// Waits until its log holds a text, or until it has ended.
    ///
    /// - Returns: Whether the text came.
    func waitForLog(containing text: String, timeout: Double = 30) -> Bool {
        let deadline = Date().addingTimeInterval(timeout)
        var isRunning = true
        repeat {
            // Asked in this order: what it wrote before its end is in the log after it.
            isRunning = self.isRunning
            if log(toItsEnd: !isRunning).contains(text) { return true }
            usleep(50_000)
        } while isRunning && Date() < deadline
        return false
    }

    /// Runs a command in it.
    func execute(_ command: String...) throws -> Subprocess.Output {
        try Docker.run(["exec", name] + command)
    }

    /// Stops it as an operator does, with ten seconds before the engine would kill it.
    ///
    /// - Returns: The exit code, and the seconds from the call until the container had ended.
    func stop() throws -> (code: Int32, seconds: Double) {
        let begin = Date()
        try Docker.succeed("stop", "--time", "10", name)
        let finished = try Docker.succeed("inspect", "--format", "{{.State.FinishedAt}}", name)
        let code = try Docker.succeed("inspect", "--format", "{{.State.ExitCode}}", name)
        guard let code = Int32(code), let end = Self.date(finished) else {
            throw Docker.Failure(description: "inspect: \(code), \(finished)")
        }
        return (code, end.timeIntervalSince(begin))
    }

    /// `2026-11-21T01:17:47.024653980Z`, of which the parser takes three digits of the fraction.
    private static func date(_ text: String) -> Date? {
        let parts = text.split(separator: ".")
        guard let seconds = parts.first, parts.count == 2 else { return nil }
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.date(from: "\(seconds).\(parts[1].prefix(3))Z")
    }
}
