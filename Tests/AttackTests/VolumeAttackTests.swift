import Foundation
import TestSupport
import Testing

/// The key of a mounted volume, and the view: who is in the container beside them gets neither.
///
/// Weakened for the control: a command with `--keep-capabilities`, so with `CAP_SYS_ADMIN` and
/// `CAP_SYS_PTRACE`. It finds the key in the worker, and in the supervisor nothing.
@Suite(.requires(.fuse, .executables, .tool("setpriv"), .tool("nsenter")))
struct `The key of a mounted volume` {
    /// Who attacks.
    enum Position: String, CaseIterable, CustomTestStringConvertible {
        /// As secure-init starts the command: root, without the wrapper's capabilities.
        case command
        /// The command with `--user`.
        case commandOfUser
        /// `docker exec`: root with Docker's default capabilities.
        case shell
        /// `docker exec --user`.
        case shellOfUser

        var testDescription: String { rawValue }
    }

    private static let attempts =
        Attempt.into(Attempt.supervisor, memory: .enters)
        + Attempt.into(Attempt.worker, memory: .finds) + Attempt.mounts

    /// What is not refused, but comes to nothing.
    private static let fruitless = [
        ":unmount-userns": EINVAL, "1:cmdline": ENODATA, "secure-init-vol:cmdline": ENODATA,
        ":own-environ": ENODATA, ":own-memory": ENODATA, ":own-descriptors": ENODATA,
        ":own-fuse": ENODATA, ":keyring": ENODATA,
    ]

    private static let names = fruitless.keys.sorted() + attempts.map(\.name)

    @Test(arguments: attempts, Position.allCases)
    func `is out of reach`(_ attempt: Attempt, _ position: Position) throws {
        try attempt.expectRefusal(
            try Reports.shared.report(from: position),
            control: try Reports.shared.weakened.get()
        )
    }

    @Test(arguments: fruitless.keys.sorted(), Position.allCases)
    func `is in nothing that the command has or may read`(
        _ attempt: String,
        _ position: Position
    ) throws {
        let result = try Reports.shared.report(from: position).result(of: attempt)
        // Who is nobody is not even let to look.
        #expect([Self.fruitless[attempt], EPERM, EACCES].contains(result), "error \(result)")
    }

    /// The control of what comes to nothing: planted secrets are found where it looks.
    @Test(arguments: [
        ":own-environ", ":own-memory", ":own-descriptors", ":own-fuse", ":keyring-planted",
    ])
    func `would be found there`(_ attempt: String) throws {
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        try #require(device >= 0)
        defer { close(device) }
        let planted = "planted-5b0c1f2e"
        let directory = try TemporaryDirectory()
        let run = try Device(
            ["--env-only", Attacker.program]
                + Attacker.arguments([attempt], lookingFor: [Array(planted.utf8)]),
            environment: ["PLANTED": planted],
            directory: directory.path,
            descriptors: [9: device]
        )
        #expect(try Report(run.process.wait().text).result(of: attempt) == 0)
    }

    /// One run for each position, made when it is first asked for.
    private struct Reports {
        // The tests of this target run one at a time.
        nonisolated(unsafe) static var shared = Reports()

        lazy var weakened = Result { try Self.ofCommand(["--keep-capabilities"]) }
        private lazy var command = Result { try Self.ofCommand([]) }
        private lazy var commandOfUser = Result { try Self.ofCommand(["--user", "4711:4711"]) }
        private lazy var shell = Result { try Self.of(.root) }
        private lazy var shellOfUser = Result { try Self.of(.user) }

        mutating func report(from position: Position) throws -> Report {
            switch position {
            case .command: try command.get()
            case .commandOfUser: try commandOfUser.get()
            case .shell: try shell.get()
            case .shellOfUser: try shellOfUser.get()
            }
        }

        private static func ofCommand(_ options: [String]) throws -> Report {
            let volume = try DemoVolume()
            let attacker =
                [Attacker.program]
                + Attacker.arguments(
                    names,
                    lookingFor: try volume.secrets(),
                    path: volume.view
                )
            let device = try Device(
                volume.options + options + ["--"] + attacker,
                directory: volume.directory.path
            )
            return Report(try device.process.wait().text)
        }

        private static func of(_ shell: Device.Shell) throws -> Report {
            let volume = try DemoVolume()
            let device = try Device(
                volume.options + ["sleep", "60"],
                directory: volume.directory.path
            )
            try device.process.waitForOutput(containing: "command started")
            let report = try device.attack(
                names,
                from: shell,
                lookingFor: try volume.secrets(),
                path: volume.view
            )
            try device.stop()
            return report
        }
    }
}
