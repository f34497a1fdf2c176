import Foundation
import TestSupport

/// A container on a device: secure-init as process 1 of its own namespaces, and who else is in them.
final class Device {
    /// Who is put into the container beside the command.
    enum Shell: CaseIterable {
        /// Root with Docker's default capabilities, as `docker exec` gives them.
        case root
        /// Another user without any.
        case user
        /// Root with every capability the machine has: the control.
        case unlimited
    }

    /// What Docker gives a container by default.
    static let dockerCapabilities =
        "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,"
        + "+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap"

    /// A user nobody else is.
    static let user = ["--reuid=4711", "--regid=4711", "--clear-groups"]

    /// What isolates it.
    static let namespaces = [
        "unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL",
    ]

    let process: Subprocess

    /// Starts it.
    ///
    /// - Parameters:
    ///   - arguments: Of secure-init.
    ///   - environment: Everything it gets besides `PATH`.
    ///   - wrapper: A command that executes it.
    ///   - directory: Where it starts.
    ///   - descriptors: Descriptors it inherits: its number, and which of ours.
    /// - Throws: `POSIXError` where it cannot be started.
    init(
        _ arguments: [String],
        environment: [String: String] = [:],
        wrapper: [String] = [],
        directory: String,
        descriptors: [Int32: Int32] = [:]
    ) throws {
        let command = Self.namespaces + wrapper + [Executables.secureInit] + arguments
        process = try Subprocess.start(
            command[0],
            Array(command.dropFirst()),
            environment: environment.merging(["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"]) { $1 },
            directory: directory,
            descriptors: descriptors
        )
    }

    /// The number, as seen from here, of the one process of that name in the container.
    ///
    /// - Throws: ``NotThere``.
    func pid(of name: String) throws -> Int32 {
        var found: Int32?
        let isThere = waitUntil(timeout: 30) {
            found = Self.descendants(of: self.process.pid).first { Self.name(of: $0) == name }
            return found != nil
        }
        guard isThere, let found else { throw NotThere(description: "no process named \(name)") }
        return found
    }

    /// Makes attempts from a shell that is put into the container.
    func attack(
        _ attempts: [String],
        from shell: Shell,
        lookingFor needles: [[UInt8]],
        path: String = "-"
    ) throws -> Report {
        let rights: [String] =
            switch shell {
            case .root:
                ["setpriv", "--bounding-set=\(Self.dockerCapabilities)", "--inh-caps=-all"]
            case .user:
                ["setpriv"] + Self.user + ["--bounding-set=-all", "--inh-caps=-all"]
            case .unlimited: []
            }
        let supervisor = try pid(of: "secure-init")
        let output = try Subprocess.run(
            "nsenter",
            ["--target=\(supervisor)", "--mount", "--pid"] + rights + [Attacker.program]
                + Attacker.arguments(attempts, lookingFor: needles, path: path)
        )
        return Report(output.text)
    }

    /// Ends it as an operator does.
    @discardableResult
    func stop() throws -> Subprocess.Output {
        kill(try pid(of: "secure-init"), SIGTERM)
        return try process.wait()
    }

    static func name(of pid: Int32) -> String {
        ((try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? "")
            .trimmingCharacters(in: .newlines)
    }

    private static func descendants(of pid: Int32) -> [Int32] {
        let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        return (text ?? "").split(separator: " ").compactMap { Int32($0) }
            .flatMap { [$0] + descendants(of: $0) }
    }

    struct NotThere: Error, CustomStringConvertible {
        let description: String
    }
}
