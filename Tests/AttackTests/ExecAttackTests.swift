import Foundation
import TestSupport
import Testing

/// A helper is closed to others from the first moment of its life, not only from when it says so.
///
/// Each attempt is made while the process has been executed and has not yet run an instruction.
/// Weakened for the control: the command, which is executed as any program.
@Suite(.requires(.fuse, .executables, .tool("setpriv")))
struct `A helper that was just executed` {
    /// All but tracing: it is traced already.
    private static let attempts = [
        "mem", "mem-write", "process_vm_readv", "fd-list", "fd-open", "pidfd_getfd",
    ]

    /// What the attempts on the process whose command line begins with `mark` came to.
    private func results(
        _ mark: String,
        of arguments: [String],
        environment: [String: String] = [:],
        as attacker: [String],
        startedBy wrapper: [String]
    ) throws -> [Int32] {
        let volume = try DemoVolume()
        chmod(volume.directory("key"), 0o644)
        let output = try Subprocess.run(
            Attacker.program,
            ["at-exec", mark, "setpriv"] + attacker + [Attacker.program]
                + Attacker.arguments(
                    Self.attempts.map { "PID:\($0)" },
                    lookingFor: try volume.secrets()
                ) + ["--"] + wrapper + [Executables.secureInit] + arguments,
            environment: environment.merging(ProcessInfo.processInfo.environment) { $1 },
            directory: volume.directory.path
        )
        let results = output.text.split(separator: "\n").compactMap {
            $0.split(separator: " ").last.flatMap { Int32($0) }
        }
        try #require(results.count == Self.attempts.count, "\(output.text)\(output.errorText)")
        return results
    }

    private static let root = [
        "--bounding-set=\(Device.dockerCapabilities)", "--inh-caps=-all",
    ]
    private static let container =
        ["setpriv", "--bounding-set=\(Device.dockerCapabilities),+sys_admin"] + Device.namespaces
    private static let volume = ["--key-source", "file:key", "sleep", "77"]

    @Test func `to serve the volume is closed already`() throws {
        let results = try results(
            "secure-init --secure-init-worker",
            of: Self.volume,
            as: Self.root,
            startedBy: Self.container
        )
        #expect(results.allSatisfy { $0 == EPERM || $0 == EACCES }, "\(results)")
    }

    @Test func `to fetch the key is closed already`() throws {
        let results = try results(
            "secure-init --secure-init-fetcher",
            of: WaitingDevice.options,
            environment: ["STORE_TOKEN": "x"],
            as: Self.root,
            startedBy: Self.container
        )
        #expect(results.allSatisfy { $0 == EPERM || $0 == EACCES }, "\(results)")
    }

    /// The control, and a limit: the group cannot be changed, so the kernel opens the new process.
    @Test func `where secure-init is not root is open to a shell of its user`() throws {
        let results = try results(
            "secure-init --secure-init-fetcher",
            of: WaitingDevice.options,
            environment: ["STORE_TOKEN": "x"],
            as: Device.user,
            startedBy: ["setpriv"] + Device.user
        )
        #expect(results.allSatisfy { $0 == 0 || $0 == ENODATA }, "\(results)")
    }

    @Test func `is told from a command, which is open`() throws {
        let results = try results(
            "sleep 77",
            of: Self.volume,
            as: Self.root,
            startedBy: Self.container
        )
        #expect(results.allSatisfy { $0 == 0 || $0 == ENODATA }, "\(results)")
    }
}
