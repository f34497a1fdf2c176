import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .fuse, .executables, .freezer, .tool("nsenter")))
struct `The health` {
    private func running(_ directory: TemporaryDirectory) throws -> InitProcess {
        let process = try InitProcess(
            ["--key-source", "file:\(directory("key"))", "sleep", "60"],
            directory: directory.path
        )
        try process.process.waitForOutput(containing: "command started")
        return process
    }

    /// How long `health` took.
    private func check(
        _ process: InitProcess,
        _ arguments: String...
    ) throws -> (output: Subprocess.Output, seconds: Double) {
        let began = Date()
        let output = try process.execute([Executables.secureInit, "health"] + arguments)
        return (output, Date().timeIntervalSince(began))
    }

    @Test func `is good while the command runs and the volume answers`() throws {
        let directory = try Sample.keyDirectory()
        let process = try running(directory)
        let (output, _) = try check(process)
        #expect(output.status == 0)
        #expect(output.text.hasPrefix("sleep runs, pid "))
        #expect(output.text.contains("\(directory("decrypted")) answered after "))
        #expect(output.errorText.isEmpty)
        try process.signal(SIGTERM)
        try process.process.wait()
        #expect(
            !process.process.errorText.contains("orphan"),
            "the process that reads is reaped by who asked"
        )
    }

    @Test func `is bad within the time when the volume's process hangs, and good again`() throws {
        let directory = try Sample.keyDirectory()
        let process = try running(directory)
        let worker = try process.command(named: "secure-init-vol")
        let frozen = try FrozenProcess(worker)
        let (output, seconds) = try check(process, "--timeout", "500ms")
        #expect(output.status == 1)
        #expect(output.text.contains("does not answer within"))
        #expect(output.text.split(separator: "\n").count == 1)
        #expect(seconds < 20, "it would hang for ever")
        #expect(try process.ask("status").status == 0, "the supervisor does not touch its mount")
        frozen.thaw()
        #expect(try check(process).output.status == 0)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `is bad where something else is mounted over the volume`() throws {
        let directory = try Sample.keyDirectory()
        let process = try running(directory)
        let mount = try process.execute(["mount", "-t", "tmpfs", "none", directory("decrypted")])
        #expect(mount.status == 0, "\(mount.errorText)")
        let output = try process.ask("health")
        #expect(output.status == 1)
        #expect(output.text == "the volume at \(directory("decrypted")) is not mounted\n")
        #expect(try process.execute(["umount", directory("decrypted")]).status == 0)
        #expect(try process.ask("health").status == 0)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `is bad within the time when process 1 itself does not answer`() throws {
        let directory = try Sample.keyDirectory()
        let process = try running(directory)
        try process.signal(SIGSTOP)
        let (output, seconds) = try check(process, "--timeout", "500ms")
        #expect(output.status == 1)
        #expect(output.text == "secure-init does not answer in time\n")
        #expect(seconds < 20)
        try process.signal(SIGCONT)
        #expect(try check(process).output.status == 0)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test(.requires(.tool("gocryptfs")))
    func `is bad when the disk below hangs, and checks do not pile up`() throws {
        // A disk that hangs: another file system, whose process is stopped.
        let directory = try Sample.keyDirectory()
        for name in ["cipher", "disk"] {
            try FileManager.default.createDirectory(
                atPath: directory(name),
                withIntermediateDirectories: false
            )
        }
        try directory.write("disk password", to: "disk.key", mode: 0o600)
        let flags = ["-q", "-passfile", directory("disk.key")]
        #expect(
            try Subprocess.run("gocryptfs", ["-init"] + flags + [directory("cipher")]).status == 0
        )
        let disk = try Subprocess.start(
            "gocryptfs",
            ["-fg"] + flags + [directory("cipher"), directory("disk")]
        )
        defer { _ = try? Subprocess.run("umount", ["--lazy", directory("disk")]) }
        try #require(
            waitUntil(timeout: 20) {
                (try? Subprocess.run("mountpoint", ["-q", directory("disk")]))?.status == 0
            }
        )
        let process = try InitProcess(
            [
                "--key-source", "file:\(directory("key"))", "--storage", directory("disk/storage"),
                "--config", directory("encrypt.conf"), "sleep", "60",
            ],
            directory: directory.path
        )
        try process.process.waitForOutput(containing: "command started")
        #expect(try check(process).output.status == 0)

        disk.signal(SIGSTOP)
        let (first, seconds) = try check(process, "--timeout", "500ms")
        #expect(first.status == 1)
        #expect(first.text.contains("does not answer within"))
        #expect(seconds < 20)
        var second = first
        let noticed = waitUntil(timeout: 10) {
            second = (try? process.ask("health", "--timeout", "500ms")) ?? first
            return second.text.contains("of an earlier check still waits for it")
        }
        #expect(noticed && second.status == 1, "\(second.text)")
        let stuck = ProcessTree.children(of: try process.pid).filter {
            ProcessTree.name(of: $0) == "secure-init-ask"
        }
        #expect(stuck.count <= 2)

        disk.signal(SIGCONT)
        #expect(waitUntil(timeout: 20) { (try? process.ask("health"))?.status == 0 })
        try process.signal(SIGTERM)
        try process.process.wait()
    }
}
