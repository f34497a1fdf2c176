import Foundation
import TestSupport
import Testing

/// What an attacker inside a helper process can still do, beside the same attempt outside of it.
///
/// All as root with every capability, which is more than the helpers have: the sandbox alone holds.
@Suite(.requires(.root)) struct `A helper's sandbox` {
    /// A sandbox, an attempt, and what it is tried on.
    struct Attempt: CustomTestStringConvertible {
        let sandbox: String
        let action: String
        let target: String

        init(_ sandbox: String, _ action: String, _ target: String = "-") {
            self.sandbox = sandbox
            self.action = action
            self.target = target
        }

        var testDescription: String { "\(sandbox): \(action) \(target)" }
    }

    @Test(arguments: [
        Attempt("fetcher", "read", "STORAGE/block"), Attempt("fetcher", "write", "STORAGE/new"),
        Attempt("fetcher", "read", "/proc/self/environ"), Attempt("fetcher", "write", "/tmp/new"),
        Attempt("fetcher", "remove", "STORAGE/block"), Attempt("fetcher", "execute", "/bin/true"),
        Attempt("fetcher", "listen"), Attempt("fetcher", "signal", "PID"),
        Attempt("fetcher", "read", "/proc/PID/mem"),
        Attempt("worker", "socket"), Attempt("worker", "execute", "/bin/true"),
        Attempt("worker", "execute", "STORAGE/program"), Attempt("worker", "read", "/etc/passwd"),
        Attempt("worker", "read", "OUTSIDE/file"), Attempt("worker", "write", "OUTSIDE/new"),
        Attempt("worker", "signal", "PID"), Attempt("worker", "read", "/proc/PID/mem"),
        Attempt("guardian", "socket"), Attempt("guardian", "execute", "/bin/true"),
        Attempt("guardian", "signal", "PID"),
    ])
    func `does not let it`(_ attempt: Attempt) throws {
        let place = try Place()
        let refused = try place.run(attempt, in: attempt.sandbox)
        #expect(refused == EPERM || refused == EACCES, "error \(refused)")
        #expect(try place.run(attempt, in: "none") == 0, "possible without the sandbox")
    }

    /// What none of them has any business with; the control runs as root with every capability.
    private static let calls = [
        ("ptrace-attach", "PID"), ("ptrace-seize", "PID"), ("process_vm_readv", "PID"),
        ("pidfd_open", "PID"), ("kcmp", "PID"), ("perf_event_open", "PID"), ("tgkill", "PID"),
        ("prlimit", "PID"), ("mount-over", "-"), ("fsopen", "-"), ("userns", "-"),
        ("io_uring", "-"), ("keyring", "-"), ("bpf", "-"), ("userfaultfd", "-"), ("fork", "-"),
        ("socket-unix", "-"), ("socket-packet", "-"),
    ]

    @Test(arguments: ["fetcher", "worker", "guardian"], calls)
    func `does not let it call`(_ sandbox: String, _ call: (String, String)) throws {
        let place = try Place()
        let attempt = Attempt(sandbox, call.0, call.1)
        let refused = try place.run(attempt, in: sandbox)
        #expect(refused == EPERM || refused == EACCES, "error \(refused)")
        #expect(try place.run(attempt, in: "none") == 0, "possible without the sandbox")
    }

    /// The storage's path leads to `/` by the time the rule is made; the control's rule is on the path.
    @Test func `holds for the storage that was opened, whatever its path leads to`() throws {
        func read(_ path: String, in sandbox: String) throws -> Int32 {
            let directory = try TemporaryDirectory()
            try directory.write("block", to: "storage/block")
            try directory.write("secret", to: "outside")
            return try Subprocess.run(
                Executables.ofTests("sandbox-probe"),
                [sandbox, directory("storage"), "read", directory(path)]
            ).status
        }
        let refused = try read("outside", in: "worker-exchanged")
        #expect(refused == EPERM || refused == EACCES, "error \(refused)")
        #expect(try read("storage.moved/block", in: "worker-exchanged") == 0)
        #expect(try read("outside", in: "worker-by-path") == 0)
    }

    @Test(arguments: [
        Attempt("fetcher", "read", "/etc/hosts"), Attempt("fetcher", "socket"),
        Attempt("worker", "read", "STORAGE/block"), Attempt("worker", "write", "STORAGE/new"),
        Attempt("worker", "remove", "STORAGE/block"), Attempt("worker", "read", "/dev/fuse"),
    ])
    func `leaves it what it is there for`(_ attempt: Attempt) throws {
        #expect(try Place().run(attempt, in: attempt.sandbox) == 0)
    }
}

/// A storage, something outside of it, and a process to attack.
private struct Place {
    private let storage: TemporaryDirectory
    private let outside: TemporaryDirectory
    private let victim: Subprocess

    init() throws {
        storage = try TemporaryDirectory()
        outside = try TemporaryDirectory()
        try outside.write("secret", to: "file")
        try storage.write(
            Data(contentsOf: URL(fileURLWithPath: "/bin/true")),
            to: "program",
            mode: 0o755
        )
        victim = try Subprocess.start("sleep", ["60"])
    }

    /// The probe's exit code: 0, or the error number.
    func run(_ attempt: SandboxAttempt, in sandbox: String) throws -> Int32 {
        try storage.write("block", to: "block")
        let target = attempt.target
            .replacing("STORAGE", with: storage.path).replacing("OUTSIDE", with: outside.path)
            .replacing("PID", with: "\(victim.pid)")
        let output = try Subprocess.run(
            Executables.ofTests("sandbox-probe"),
            [sandbox, storage.path, attempt.action, target]
        )
        #expect(output.text.isEmpty, "the kernel lacks something: \(output.text)")
        return output.status
    }
}

private typealias SandboxAttempt = `A helper's sandbox`.Attempt
