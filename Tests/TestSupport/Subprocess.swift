internal import Foundation

/// A program run by a test: the real one, with its output in files, so that nothing can block.
///
/// Killed, with what it holds, when the last reference goes while it still runs.
public final class Subprocess: @unchecked Sendable {
    // Unchecked: the state below is only touched under `lock`.
    private let lock = NSLock()
    private var waitStatus: Int32?
    private let directory: TemporaryDirectory

    /// The process id; the process group's too when asked for.
    public let pid: Int32

    /// How a finished program went.
    public struct Output: Sendable {
        /// The exit code, or 128 + n for death by signal n.
        public let status: Int32

        /// Everything written to standard output.
        public let standardOutput: [UInt8]

        /// Everything written to standard error.
        public let standardError: [UInt8]

        /// Standard output as text.
        public var text: String { String(decoding: standardOutput, as: UTF8.self) }

        /// Standard error as text.
        public var errorText: String { String(decoding: standardError, as: UTF8.self) }
    }

    /// The program did not end in time; it was killed.
    public struct TimedOut: Error, CustomStringConvertible {
        /// What was run, and what it had said so far.
        public let description: String
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name to be found in `PATH`.
    ///   - arguments: Without the program's own name.
    ///   - environment: Everything it gets; by default this process's.
    ///   - standardInput: What it reads; nothing by default.
    ///   - directory: Where it starts.
    ///   - timeout: Seconds until it is killed.
    /// - Returns: How it ended and what it wrote.
    /// - Throws: ``TimedOut``; `POSIXError` where it cannot be started.
    public static func run(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        standardInput: [UInt8] = [],
        directory: String? = nil,
        timeout: Double = 60
    ) throws -> Output {
        try start(
            executable,
            arguments,
            environment: environment,
            standardInput: standardInput,
            directory: directory
        ).wait(timeout: timeout)
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name to be found in `PATH`.
    ///   - arguments: Without the program's own name.
    ///   - environment: Everything it gets; by default this process's.
    ///   - standardInput: What it reads; nothing by default.
    ///   - directory: Where it starts.
    ///   - descriptors: Descriptors it inherits: its number, and which of ours.
    ///   - newProcessGroup: Make it the leader of a process group.
    /// - Returns: The running program.
    /// - Throws: `POSIXError` where it cannot be started.
    public static func start(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        standardInput: [UInt8] = [],
        directory: String? = nil,
        descriptors: [Int32: Int32] = [:],
        newProcessGroup: Bool = false
    ) throws -> Subprocess {
        let files = try TemporaryDirectory()
        try files.write(standardInput, to: "in")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, files("in"), O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions,
            1,
            files("out"),
            O_WRONLY | O_CREAT | O_APPEND,
            0o600
        )
        posix_spawn_file_actions_addopen(
            &actions,
            2,
            files("err"),
            O_WRONLY | O_CREAT | O_APPEND,
            0o600
        )
        for (theirs, ours) in descriptors.sorted(by: { $0.key < $1.key }) {
            posix_spawn_file_actions_adddup2(&actions, ours, theirs)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        if newProcessGroup { flags |= POSIX_SPAWN_SETPGROUP }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let environment = environment ?? ProcessInfo.processInfo.environment
        // The C library's own way to start elsewhere is not visible from Swift.
        let command =
            (directory.map { ["env", "-C", $0] } ?? []) + [executable] + arguments
        let argv = CStrings(command)
        let envp = CStrings(environment.map { "\($0.key)=\($0.value)" })
        keepDescriptorsBack()
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, command[0], &actions, &attributes, argv.array, envp.array)
        guard code == 0 else { throw POSIXError(.init(rawValue: code) ?? .EIO) }
        return Subprocess(pid: pid, directory: files)
    }

    /// Has nothing handed down but what was asked for.
    ///
    /// An inherited end of a pipe would keep it open, an inherited file its mount busy. The copies
    /// made for the program stay open in it.
    private static func keepDescriptorsBack() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in names.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    private init(pid: Int32, directory: TemporaryDirectory) {
        self.pid = pid
        self.directory = directory
    }

    deinit {
        guard waitStatus == nil else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    /// Standard output so far.
    public var standardOutput: [UInt8] { (try? directory.read("out")) ?? [] }

    /// Standard error so far.
    public var standardError: [UInt8] { (try? directory.read("err")) ?? [] }

    /// Standard output so far, as text.
    public var text: String { String(decoding: standardOutput, as: UTF8.self) }

    /// Standard error so far, as text.
    public var errorText: String { String(decoding: standardError, as: UTF8.self) }

    /// The exit code if it has ended, or 128 + n for death by signal n.
    public var status: Int32? {
        lock.withLock {
            if waitStatus == nil {
                var status: Int32 = 0
                if waitpid(pid, &status, WNOHANG) == pid { waitStatus = status }
            }
            return waitStatus.map { $0 & 0x7f == 0 ? $0 >> 8 & 0xff : 128 + ($0 & 0x7f) }
        }
    }

    /// Sends a signal, unless the program has ended.
    public func signal(_ number: Int32) {
        if status == nil { kill(pid, number) }
    }

    /// Waits for the end.
    ///
    /// - Throws: ``TimedOut`` after `timeout` seconds, having killed the program.
    @discardableResult
    public func wait(timeout: Double = 60) throws -> Output {
        guard waitUntil(timeout: timeout, { self.status != nil }), let status else {
            signal(SIGKILL)
            throw TimedOut(
                description: "not ended after \(timeout) s; stdout: \(text) stderr: \(errorText)"
            )
        }
        return Output(
            status: status,
            standardOutput: standardOutput,
            standardError: standardError
        )
    }

    /// Waits until it has written a text to standard error or standard output.
    ///
    /// - Throws: ``TimedOut``; the program is left running.
    public func waitForOutput(containing wanted: String, timeout: Double = 30) throws {
        let seen = { self.errorText.contains(wanted) || self.text.contains(wanted) }
        _ = waitUntil(timeout: timeout) { seen() || self.status != nil }
        guard seen() else {
            throw TimedOut(
                description: "'\(wanted)' not seen; stdout: \(text) stderr: \(errorText)"
            )
        }
    }
}

/// Asks every two milliseconds until a condition holds or the time is up.
///
/// - Returns: Whether it came to hold.
public func waitUntil(timeout: Double, _ condition: () -> Bool) -> Bool {
    let deadline = Date().addingTimeInterval(timeout)
    while !condition() {
        if Date() > deadline { return false }
        usleep(2000)
    }
    return true
}

/// A null-terminated array of C strings, as `execve` takes it.
private final class CStrings {
    let array: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [String]) {
        array = strings.map { strdup($0) } + [nil]
    }

    deinit {
        for string in array { free(string) }
    }
}
