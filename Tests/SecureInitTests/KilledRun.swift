import Foundation
import TestSupport

/// secure-init held in one phase, with everybody who can be killed in it.
final class KilledRun {
    /// What tests of it need.
    static let requirements = RequirementTrait.requires(
        .root,
        .fuse,
        .executables,
        .freezer,
        .tool("python3"),
        .tool("openssl"),
        .tool("nsenter")
    )

    let run: InitProcess
    let supervisor: Int32
    /// The mount namespace it is in.
    let namespace: String
    let directory: TemporaryDirectory

    /// Every process there was, to be gone at the end.
    private(set) var pids: Set<Int32>

    private let phase: Kill.Phase
    private let place: InitProcess.Place
    private let connectionsBefore: Int
    /// Started as one more process of the mount namespace, from another pid namespace: keeps it, and
    /// shows what is mounted in it.
    private var watcher: Subprocess?
    /// The worker, in the phases that it would end.
    private var frozen: FrozenProcess?

    /// Starts secure-init, and returns once it is in the phase and cannot leave it by itself.
    ///
    /// - Parameters:
    ///   - phase: Which.
    ///   - place: As what it runs.
    ///   - isWatched: Whether somebody else keeps the mount namespace, if it is process 1.
    ///   - wrapper: A command that executes it.
    /// - Throws: Where it does not come to be in the phase.
    init(
        _ phase: Kill.Phase,
        as place: InitProcess.Place = .processOne,
        isWatched: Bool = false,
        wrapper: [String] = []
    ) throws {
        self.phase = phase
        self.place = place
        connectionsBefore = phase == .fetching ? EndlessServer.shared.connectionCount : 0
        directory = try Sample.keyDirectory()
        let (arguments, environment) = try Self.start(phase, in: directory)
        run = try InitProcess(
            arguments,
            environment: environment,
            place: place,
            wrapper: wrapper,
            directory: directory.path
        )
        supervisor = try run.pid
        pids = [supervisor]
        namespace = Self.namespace(of: supervisor)
        if isWatched {
            watcher = try Subprocess.start(
                "nsenter",
                ["--mount=/proc/\(supervisor)/ns/mnt", "sleep", "600"]
            )
        }
        try hold()
        pids.formUnion(ProcessTree.descendants(of: supervisor))
    }

    /// The process to be killed.
    func pid(of target: Kill.Target) throws -> Int32 {
        switch target {
        case .supervisor: supervisor
        case .fetcher: try run.command(named: "secure-init-key")
        case .worker: try run.command(named: "secure-init-vol")
        case .command: try run.command(named: "sleep")
        case .orphan: try run.command(named: "tail")
        case .guardianOfFiles: try guardians.first ?? run.command(named: "secure-init-mnt")
        case .guardianOfView: try guardians.last ?? run.command(named: "secure-init-mnt")
        }
    }

    /// The guardians, in the order they were started.
    var guardians: [Int32] {
        ProcessTree.children(of: supervisor).filter {
            ProcessTree.name(of: $0) == "secure-init-mnt"
        }
    }

    /// Lets a frozen worker go on: it takes nothing but KILL before.
    func thaw() { frozen?.thaw() }

    /// Ends what did not end by itself: lets a frozen worker go on, and asks secure-init to end.
    func finish() throws {
        thaw()
        if phase != .unmounting { kill(supervisor, SIGTERM) }
    }

    /// Waits until what is to be said while it goes on is said.
    func awaitAnswer(to killed: Kill) throws {
        switch killed.target {
        case .fetcher, .guardianOfFiles, .guardianOfView: break
        case .supervisor, .worker, .command, .orphan: return
        }
        if let line = killed.line { try run.process.waitForOutput(containing: line) }
    }

    /// Those of the processes there were, and of their children since, who are still there.
    var survivors: [Int32] { pids.filter(ProcessTree.exists) }

    /// Of those, our own.
    var helpers: [Int32] {
        survivors.filter { ProcessTree.name(of: $0).hasPrefix("secure-init") }
    }

    /// Whether the volume is seen in the mount namespace by who is left in it.
    var isMounted: Bool { mounts.contains(" \(directory("decrypted")) ") }

    /// Whether the secret files are.
    var hasSecretFiles: Bool { mounts.contains(" \(filesDirectory) ") }

    /// As proc_pid_mountinfo(5) has it.
    private var mounts: String { ProcessTree.text("/proc/\(observer)/mountinfo") }

    /// Who is in the mount namespace, as seen from here.
    var observer: Int32 {
        watcher?.pid ?? (place == .belowAnother ? try? run.outerInit : nil) ?? supervisor
    }

    /// Where the secret files are.
    var filesDirectory: String { directory("files") }

    /// Lets go of the mount namespace.
    func stopWatching() {
        watcher?.signal(SIGKILL)
        watcher = nil
    }

    /// Whether any process is in the mount namespace, so that its mounts are still there.
    var namespaceExists: Bool {
        let pids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return pids.compactMap { Int32($0) }.contains { Self.namespace(of: $0) == namespace }
    }

    private static func namespace(of pid: Int32) -> String {
        let path = "/proc/\(pid)/ns/mnt"
        return (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? ""
    }

    /// What secure-init is started with, so that it comes into the phase.
    private static func start(
        _ phase: Kill.Phase,
        in directory: TemporaryDirectory
    ) throws -> ([String], [String: String]) {
        let unlock = [
            "--key-source", "file:\(directory("key"))", "--stop-grace", "60s", "--deliver", "file",
            "--deliver-dir", directory("files"),
        ]
        let environment = ["ENCRYPTED_TESTVAR": Sample.value]
        switch phase {
        case .starting, .waitingForKey:
            return (
                ["--env-only", "--key-source", "file:/nonexistent", "sleep", "600"], environment
            )
        case .fetching:
            let flags = try EndlessServer.shared.flags
            return (flags + ["-env-only", "sleep", "600"], environment)
        case .decrypting:
            var many: [String: String] = [:]
            for number in 0..<4000 { many["ENCRYPTED_V\(number)"] = Sample.value }
            return (unlock + ["--env-only", "sleep", "600"], many)
        case .openingVolume:
            return (unlock + ["sleep", "600"], environment)
        case .running:
            let orphan = "setsid -f tail -f /dev/null; exec sleep 600"
            return (unlock + ["sh", "-c", orphan], environment)
        case .stopping:
            let stubborn =
                "setsid -f env --ignore-signal=TERM sh -c ': >up; exec tail -f /dev/null'; "
                + "until [ -e up ]; do sleep 0.01; done; exit 9"
            return (unlock + ["sh", "-c", stubborn], environment)
        case .unmounting:
            let waiting = "echo the command runs; until [ -e go ]; do sleep 0.01; done; exit 9"
            return (unlock + ["sh", "-c", waiting], environment)
        }
    }

    /// Waits until the phase has come, and sees to it that it stays.
    private func hold() throws {
        switch phase {
        case .starting:
            try require("blocked signals") { ProcessTree.blocksSignals(supervisor) }
        case .waitingForKey:
            try run.process.waitForOutput(containing: "waiting for the key")
        case .fetching:
            _ = try pid(of: .fetcher)
            try require("a connection") {
                EndlessServer.shared.connectionCount > connectionsBefore
            }
        case .decrypting:
            try run.process.waitForOutput(containing: "key obtained")
        case .openingVolume:
            // A worker that is frozen opens nothing.
            frozen = try FrozenProcess(try pid(of: .worker))
            guard !run.process.errorText.contains("volume mounted") else {
                throw InitProcess.NotThere(description: "too slow: the volume is open already")
            }
        case .running:
            try run.process.waitForOutput(containing: "command started")
            _ = (try pid(of: .command), try pid(of: .orphan))
        case .stopping:
            try run.process.waitForOutput(containing: "ending what is left")
        case .unmounting:
            try run.process.waitForOutput(containing: "the command runs")
            // A worker that is frozen stores nothing, and is waited for.
            frozen = try FrozenProcess(try pid(of: .worker))
            try directory.write("", to: "go")
            try run.process.waitForOutput(containing: "command ended")
            try require("no mount") { !isMounted }
        }
    }

    private func require(_ what: String, _ condition: () -> Bool) throws {
        guard waitUntil(timeout: 30, condition) else {
            throw InitProcess.NotThere(description: "no \(what)")
        }
    }
}

/// A server that takes connections and never says a word.
final class EndlessServer: Sendable {
    static let shared = EndlessServer()

    private struct Running: Sendable {
        let flags: [String]
        let certificates: TemporaryDirectory
        let listener: Subprocess
    }

    private let running: Result<Running, any Error>

    private init() {
        running = Result {
            let stub = try KeyServerStub()
            let listener = try Subprocess.start("python3", ["-c", Self.program, "\(stub.port)"])
            try listener.waitForOutput(containing: "listening")
            return Running(flags: stub.flags, certificates: stub.directory, listener: listener)
        }
    }

    /// The flags that make it secure-init's key server.
    var flags: [String] {
        get throws { try running.get().flags }
    }

    /// How many connections it has taken since it was started.
    var connectionCount: Int {
        ((try? running.get().listener.text.components(separatedBy: "connection").count) ?? 1) - 1
    }

    private static let program = """
        import socket, sys
        server = socket.socket()
        server.bind(("127.0.0.1", int(sys.argv[1])))
        server.listen()
        print("listening", flush=True)
        held = []
        while True:
            held.append(server.accept())
            print("connection", flush=True)
        """
}
