import Foundation
import TestSupport
import Testing

/// An init under test: secure-init, as itself and by others' names, and those others.
enum Init: String, CaseIterable, CustomTestStringConvertible {
    case secureInit = "secure-init"
    case asTini = "secure-init as tini"
    case tini = "tini"
    case asDumbInit = "secure-init as dumb-init"
    case dumbInit = "dumb-init"

    var testDescription: String { rawValue }

    /// What one may want of an init beyond its default.
    enum Wish {
        case signalsToGroup
        case signalsToFirst
        case rewriting(String)
        case remapping(Int32)
        case warningOnReap
        case adoption
        case parentDeathSignal(String)
    }

    private var program: String {
        switch self {
        case .secureInit, .asTini, .asDumbInit: Executables.secureInit
        case .tini, .dumbInit: rawValue
        }
    }

    /// Gives ours another's name for its first argument.
    private var wrapper: [String] {
        switch self {
        case .secureInit, .tini, .dumbInit: []
        case .asTini: ["bash", "-c", "exec -a /usr/bin/tini \"$0\" \"$@\""]
        case .asDumbInit: ["bash", "-c", "exec -a dumb-init \"$0\" \"$@\""]
        }
    }

    /// Everything up to the first option.
    var command: [String] { wrapper + [program] }

    /// How the wish is spelt; nil where the init does not grant it.
    private func option(for wish: Wish) -> [String]? {
        switch (self, wish) {
        case (.secureInit, .signalsToGroup): ["--group"]
        case (.secureInit, .signalsToFirst): []
        case (.secureInit, .rewriting(let pair)): ["--rewrite", pair]
        case (.secureInit, .remapping(let code)): ["--remap-exit", "\(code)"]
        case (.secureInit, .warningOnReap): ["--warn-on-reap"]
        case (.secureInit, .adoption): []
        case (.secureInit, .parentDeathSignal(let name)): ["--parent-death-signal", name]
        case (.asTini, .signalsToGroup), (.tini, .signalsToGroup): ["-g"]
        case (.asTini, .signalsToFirst), (.tini, .signalsToFirst): []
        case (.asTini, .remapping(let code)), (.tini, .remapping(let code)): ["-e", "\(code)"]
        case (.asTini, .warningOnReap), (.tini, .warningOnReap): ["-w"]
        case (.asTini, .adoption), (.tini, .adoption): ["-s"]
        case (.asTini, .parentDeathSignal(let name)), (.tini, .parentDeathSignal(let name)):
            ["-p", name]
        case (.asDumbInit, .signalsToGroup), (.dumbInit, .signalsToGroup): []
        case (.asDumbInit, .signalsToFirst), (.dumbInit, .signalsToFirst): ["--single-child"]
        case (.asDumbInit, .rewriting(let pair)), (.dumbInit, .rewriting(let pair)): ["-r", pair]
        default: nil
        }
    }

    /// The options that grant the wishes, with those that make secure-init an init alone.
    ///
    /// - Returns: Nil where one cannot be granted.
    func options(_ wishes: [Wish]) -> [String]? {
        let granted = wishes.map(option(for:))
        guard !granted.contains(nil) else { return nil }
        return (self == .secureInit ? ["--env-only"] : []) + granted.compactMap(\.self).joined()
            + ["--"]
    }

    /// Starts it.
    ///
    /// - Throws: ``NotGranted`` where it has no such option.
    func start(
        _ command: [String],
        granting wishes: [Wish] = [],
        environment: [String: String] = [:],
        place: InitProcess.Place = .processOne,
        directory: String? = nil
    ) throws -> InitProcess {
        guard let options = options(wishes) else { throw NotGranted() }
        return try InitProcess(
            options + command,
            environment: environment,
            place: place,
            wrapper: wrapper,
            directory: directory,
            program: program
        )
    }

    /// Runs it to its end, with its own options.
    func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        place: InitProcess.Place = .processOne
    ) throws -> Subprocess.Output {
        try InitProcess(
            arguments,
            environment: environment,
            place: place,
            wrapper: wrapper,
            program: program
        ).process.wait()
    }

    struct NotGranted: Error {}
}

/// A command that blocks every signal it can, so that those that arrive stay to be seen.
enum Listener {
    /// One process.
    static let alone = ["python3", "-c", block + "ready()"]

    /// Three: the first, one of its group, and one of a session of its own.
    static let family = [
        "python3", "-c",
        block + """
            if os.fork() == 0: ready()
            if os.fork() == 0:
                os.setsid()
                ready()
            ready()
            """,
    ]

    /// One process that the two signals end which the C library keeps for itself.
    ///
    /// A library leaves them ignored in what it starts, and lets nobody change that: it takes the system
    /// call itself.
    static let mortal = [
        "python3", "-c",
        """
        import ctypes, os, platform, time
        action = 13 if platform.machine() == "x86_64" else 134
        for number in (32, 33): ctypes.CDLL(None).syscall(action, number, bytes(32), None, 8)
        os.write(1, b"ready ")
        while True: time.sleep(60)
        """,
    ]

    private static let block = """
        import os, signal, time
        signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {32, 33})
        def ready():
            os.write(1, b"ready ")
            while True: time.sleep(60)

        """
}

extension InitProcess {
    /// Waits until so many of the listener's processes listen.
    ///
    /// - Returns: The command, and its children in the order they were made.
    func listeners(_ count: Int = 1) throws -> [Int32] {
        #expect(
            waitUntil(timeout: 30) {
                self.process.text.components(separatedBy: "ready").count == count + 1
            },
            "\(process.errorText)"
        )
        let command = try #require(ProcessTree.children(of: try pid).first)
        return [command] + ProcessTree.children(of: command).sorted()
    }

    /// Waits until everything that was sent so far has been dealt with, whatever became of it.
    ///
    /// - Parameter listener: To whom a last signal, USR2, then gets through.
    /// - Throws: ``NotThere``.
    func settle(_ listener: Int32) throws {
        let pid = try pid
        // The lowest number is taken first, so the last must not be sent while others wait.
        #expect(waitUntil(timeout: 30) { ProcessTree.pending(pid).isEmpty })
        kill(pid, SIGUSR2)
        #expect(waitUntil(timeout: 30) { ProcessTree.pending(listener).contains(SIGUSR2) })
    }
}
