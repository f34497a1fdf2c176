import Foundation
import TestSupport
import Testing

/// A container of the engine's in which secure-init waits for its key, with Docker's own idea of what a
/// container may do.
final class EngineDevice {
    /// Who is put into the container.
    enum Shell: String, CaseIterable, CustomTestStringConvertible {
        /// `docker exec`.
        case root
        /// `docker exec --user`.
        case user

        var testDescription: String { rawValue }

        fileprivate var options: [String] {
            switch self {
            case .root: []
            case .user: ["--user", "4711:4711"]
            }
        }
    }

    private let name = "secure-store-test-attack-\(UUID().uuidString.lowercased().prefix(8))"
    // The engine need not see the place the programs were built in.
    private let programs = try? TemporaryDirectory()

    /// Starts it, and waits until it waits.
    ///
    /// - Parameters:
    ///   - credentials: What it has in its environment.
    ///   - options: Of `docker run`.
    /// - Throws: ``Device/NotThere`` with the engine's words.
    init(_ credentials: DeviceCredentials, options: [String] = []) throws {
        guard let programs else { throw CocoaError(.fileWriteUnknown) }
        chmod(programs.path, 0o755)
        for (program, copy) in [
            (Executables.secureInit, "secure-init"), (Attacker.program, "attacker"),
        ] {
            try FileManager.default.copyItem(atPath: program, toPath: programs(copy))
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../scripts/base-image").standardizedFileURL.path
        let image = try Subprocess.run(script, timeout: 600).text
            .trimmingCharacters(in: .newlines)
        let variables = credentials.environment.flatMap { ["--env", "\($0.key)=\($0.value)"] }
        let output = try Subprocess.run(
            "docker",
            ["run", "--detach", "--name", name, "--network", "none"] + variables + options
                + ["--volume", "\(programs.path):/programs:ro", image, "/programs/secure-init"]
                + WaitingDevice.options
        )
        let isWaiting = waitUntil(timeout: 60) {
            let log = try? Subprocess.run("docker", ["logs", self.name])
            return log?.errorText.contains("waiting for the key") ?? false
        }
        guard isWaiting else { throw Device.NotThere(description: output.errorText) }
    }

    deinit {
        _ = try? Subprocess.run("docker", ["rm", "--force", "--volumes", name])
    }

    /// Makes attempts from a shell that the engine starts.
    func attack(
        _ attempts: [String],
        from shell: Shell,
        lookingFor needles: [[UInt8]]
    ) throws -> Report {
        let output = try Subprocess.run(
            "docker",
            ["exec"] + shell.options + [name, "/programs/attacker"]
                + Attacker.arguments(attempts, lookingFor: needles, path: "/mnt")
        )
        return Report(output.text)
    }
}
