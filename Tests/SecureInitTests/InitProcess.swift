import Foundation
import TestSupport

/// The built executable, by default as process 1 of a pid namespace of its own.
final class InitProcess {
    /// How the executable is started.
    enum Place {
        /// In a new pid and mount namespace, as in a container.
        case processOne
        /// As any process.
        case ordinary
        /// In new namespaces, below tini, which stays when it has ended: `ended` and the status is said.
        case belowAnother
    }

    /// The process the test started: `unshare`, or secure-init itself.
    let process: Subprocess

    private let place: Place
    private let name: String

    /// Starts it.
    ///
    /// - Parameters:
    ///   - arguments: Of secure-init.
    ///   - environment: Everything it gets besides `PATH`.
    ///   - place: As what it runs.
    ///   - wrapper: A command that executes it, such as `setpriv` with its options.
    ///   - directory: Where it starts.
    ///   - descriptors: Descriptors it inherits: its number, and which of ours.
    ///   - program: Another init in its place.
    /// - Throws: `POSIXError` where it cannot be started.
    init(
        _ arguments: [String],
        environment: [String: String] = [:],
        place: Place = .processOne,
        wrapper: [String] = [],
        directory: String? = nil,
        descriptors: [Int32: Int32] = [:],
        program: String = Executables.secureInit
    ) throws {
        let command = Self.start(of: place) + wrapper + [program] + arguments
        var environment = environment
        environment["PATH"] = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        self.place = place
        name = URL(fileURLWithPath: program).lastPathComponent
        process = try Subprocess.start(
            command[0],
            Array(command.dropFirst()),
            environment: environment,
            directory: directory,
            descriptors: descriptors
        )
    }

    /// What makes the command behind it process 1 of namespaces of its own.
    static let namespaces = [
        "unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL",
    ]

    private static func start(of place: Place) -> [String] {
        switch place {
        case .processOne: namespaces
        case .ordinary: []
        case .belowAnother:
            namespaces + [
                "tini", "--", "sh", "-c", "\"$@\"; echo ended $?; exec sleep 600", "sh",
            ]
        }
    }

    /// Runs it to its end.
    static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        place: Place = .processOne,
        wrapper: [String] = [],
        directory: String? = nil,
        descriptors: [Int32: Int32] = [:],
        timeout: Double = 60
    ) throws -> Subprocess.Output {
        try InitProcess(
            arguments,
            environment: environment,
            place: place,
            wrapper: wrapper,
            directory: directory,
            descriptors: descriptors
        ).process.wait(timeout: timeout)
    }

    /// secure-init's process id, as seen from here.
    ///
    /// - Throws: ``NotThere`` where it has not come up, or is gone.
    var pid: Int32 {
        get throws {
            switch place {
            case .ordinary: process.pid
            case .processOne:
                try Self.await(name) { self.named(in: ProcessTree.children(of: self.process.pid)) }
            case .belowAnother:
                try Self.await(name) {
                    self.named(in: ProcessTree.descendants(of: self.process.pid))
                }
            }
        }
    }

    private func named(in pids: [Int32]) -> Int32? {
        pids.first { ProcessTree.name(of: $0) == name }
    }

    /// Process 1 of its namespace, as seen from here, where that is not secure-init.
    ///
    /// - Throws: ``NotThere``.
    var outerInit: Int32 {
        get throws {
            try Self.await("tini") { ProcessTree.children(of: self.process.pid).first }
        }
    }

    /// The command's process id, as seen from here.
    ///
    /// - Parameter name: The executable's name.
    /// - Returns: The first child of that name.
    /// - Throws: ``NotThere``.
    func command(named name: String) throws -> Int32 {
        let pid = try pid
        return try Self.await(name) {
            ProcessTree.children(of: pid).first { ProcessTree.name(of: $0) == name }
        }
    }

    /// Sends secure-init a signal.
    func signal(_ number: Int32) throws {
        kill(try pid, number)
    }

    private static func await(_ name: String, _ find: () -> Int32?) throws -> Int32 {
        var found: Int32?
        guard
            waitUntil(
                timeout: 20,
                {
                    found = find()
                    return found != nil
                }
            ), let found
        else {
            throw NotThere(description: "no process named \(name)")
        }
        return found
    }

    struct NotThere: Error, CustomStringConvertible {
        let description: String
    }
}

/// `/proc`, as the tests read it.
enum ProcessTree {
    static func children(of pid: Int32) -> [Int32] {
        text("/proc/\(pid)/task/\(pid)/children").split(separator: " ").compactMap { Int32($0) }
    }

    static func descendants(of pid: Int32) -> [Int32] {
        children(of: pid).flatMap { [$0] + descendants(of: $0) }
    }

    static func name(of pid: Int32) -> String {
        text("/proc/\(pid)/comm").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A field of `/proc/PID/status`.
    static func status(_ field: String, of pid: Int32) -> String? {
        text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("\(field):") }
            .map { $0.dropFirst(field.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    /// The signals that wait until the process takes them.
    static func pending(_ pid: Int32) -> Set<Int32> {
        let mask = status("ShdPnd", of: pid).flatMap { UInt64($0, radix: 16) } ?? 0
        return Set((1...64).filter { mask >> UInt64($0 - 1) & 1 == 1 })
    }

    /// Whether a signal has stopped it.
    static func isStopped(_ pid: Int32) -> Bool {
        status("State", of: pid)?.hasPrefix("T") ?? false
    }

    /// Whether it blocks TERM.
    static func blocksSignals(_ pid: Int32) -> Bool {
        let mask = status("SigBlk", of: pid).flatMap { UInt64($0, radix: 16) } ?? 0
        return mask & 1 << UInt64(SIGTERM - 1) != 0
    }

    static func exists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

    /// Whether it has ended, and nobody has taken note.
    static func isZombie(_ pid: Int32) -> Bool {
        status("State", of: pid)?.hasPrefix("Z") ?? false
    }

    static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    static func bytes(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return all }
            all += chunk[..<count]
        }
    }
}
