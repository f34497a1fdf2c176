import Foundation
import TestSupport

extension InitProcess {
    /// Runs a program beside it, as `docker exec` does: in its namespaces, as none of its children.
    ///
    /// - Parameters:
    ///   - command: The program and its arguments.
    ///   - wrapper: A command that executes it, such as `setpriv` with its options.
    /// - Returns: How it ended.
    /// - Throws: ``NotThere``; `Subprocess.TimedOut`.
    func execute(_ command: [String], wrapper: [String] = []) throws -> Subprocess.Output {
        try Subprocess.run(
            "nsenter",
            ["--pid", "--mount", "--target", "\(try pid)"] + wrapper + command
        )
    }

    /// Asks it.
    func ask(_ arguments: String..., wrapper: [String] = []) throws -> Subprocess.Output {
        try execute([Executables.secureInit] + arguments, wrapper: wrapper)
    }

    /// Asks until it says a text, or for twenty seconds.
    func waitForStatus(containing text: String) throws -> Subprocess.Output {
        var last: Subprocess.Output?
        _ = waitUntil(timeout: 20) {
            last = try? self.ask("status", "--json")
            return last?.text.contains(text) ?? false
        }
        guard let last, last.text.contains(text) else {
            throw NotThere(description: "'\(text)' is not in \(last?.text ?? "no answer")")
        }
        return last
    }

    /// How many descriptors it has open.
    var descriptorCount: Int {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        }
    }
}

/// What `secure-init status --json` says.
struct StatusAnswer: Decodable {
    struct Key: Decodable {
        let source: String?
        let ids: [String]
    }
    struct Wait: Decodable {
        let cause: String?
        let attempts: Int
        let nextMs: Int?
    }
    struct Fetcher: Decodable {
        let pid: Int?
        let restarts: Int
    }
    struct Volume: Decodable {
        let storage: String
        let mount: String
        let format: String?
        let mounted: Bool
        let pid: Int?
        let writer: String?
    }
    struct Command: Decodable {
        let name: String?
        let pid: Int?
        let since: String?
        let forMs: Int?
    }
    struct Problem: Decodable {
        let level: String
        let message: String
        let phase: String
    }
    let phase: String
    let forMs: Int
    let pid: Int
    let key: Key
    let waiting: Wait?
    let fetcher: Fetcher?
    let volume: Volume?
    let command: Command
    let lastError: Problem?

    init(_ output: Subprocess.Output) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Self.self, from: Data(output.standardOutput))
    }
}
