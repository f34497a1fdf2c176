import Foundation
import TestSupport
import Testing

/// What only secure-init has a use for is in none of the command's sets, however it is started and
/// whatever it executes.
///
/// The control of each: the same start with `--keep-capabilities` has them somewhere.
@Suite(.requires(.root, .executables, .tool("setpriv"), .tool("setcap")))
struct `The wrapper's capabilities` {
    /// `CAP_SYS_PTRACE`, `CAP_SYS_ADMIN`, `CAP_PERFMON`, `CAP_BPF`, `CAP_CHECKPOINT_RESTORE`.
    private static let bits: UInt64 = 1 << 19 | 1 << 21 | 1 << 38 | 1 << 39 | 1 << 40

    /// Those of them that a process has in any set that counts for it, by its `/proc/PID/status`.
    private func found(in text: String) throws -> UInt64 {
        var all: UInt64 = 0
        var count = 0
        let isLimited = text.contains("NoNewPrivs:\t1")
        for line in text.split(separator: "\n") where line.hasPrefix("Cap") {
            let parts = line.split(whereSeparator: \.isWhitespace)
            count += 1
            // With no-new-privileges nothing comes out of the bounding set any more.
            if parts[0] == "CapBnd:", isLimited { continue }
            all |= try #require(UInt64(parts[1], radix: 16))
        }
        #expect(count == 5, "\(text)")
        return all & Self.bits
    }

    private func expectNone(
        options: [String] = [],
        program: String = "/bin/cat",
        wrapper: [String] = []
    ) throws {
        let command = [program, "/proc/self/status"]
        let without = try InitProcess.run(options + ["--env-only"] + command, wrapper: wrapper)
        #expect(try found(in: without.text) == 0, "\(without.text)\(without.errorText)")
        let with = try InitProcess.run(
            options + ["--env-only", "--keep-capabilities"] + command,
            wrapper: wrapper
        )
        #expect(try found(in: with.text) != 0)
    }

    @Test func `are not the command's as root`() throws { try expectNone() }

    @Test func `are not the command's with --user`() throws {
        try expectNone(options: ["--user", "4711:4711"])
    }

    @Test func `are not inherited, nor ambient`() throws {
        try expectNone(
            wrapper: ["setpriv", "--inh-caps=+sys_admin,+sys_ptrace", "--ambient-caps=+sys_admin"]
        )
    }

    @Test func `are not the command's where secure-init is not root`() throws {
        try expectNone(wrapper: ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"])
    }

    @Test func `are not had from a set-user-ID program`() throws {
        let directory = try program()
        chmod(directory("cat"), 0o4755)
        for wrapper in [[], ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]] {
            try expectNone(
                options: wrapper.isEmpty ? ["--user", "4711:4711"] : [],
                program: directory("cat"),
                wrapper: wrapper
            )
        }
    }

    @Test func `are not had from a program's file capabilities`() throws {
        let directory = try program()
        let set = try Subprocess.run(
            "setcap",
            ["cap_sys_admin,cap_sys_ptrace+p", directory("cat")]
        )
        try #require(set.status == 0, "\(set.errorText)")
        try expectNone(options: ["--user", "4711:4711"], program: directory("cat"))
    }

    private func program() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        chmod(directory.path, 0o755)
        try directory.write(
            Data(contentsOf: URL(fileURLWithPath: "/bin/cat")),
            to: "cat",
            mode: 0o755
        )
        return directory
    }
}
