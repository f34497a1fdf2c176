import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .fuse, .executables), .serialized) struct `A volume` {
    private let sandbox: VolumeSandbox

    init() throws {
        sandbox = try VolumeSandbox()
    }

    @Test func `of the original program is seen decrypted`() throws {
        let demo = Fixtures.path("secure-store-demo")
        let manager = FileManager.default
        try manager.copyItem(atPath: "\(demo)/storage", toPath: sandbox.directory("storage"))
        try manager.copyItem(
            atPath: "\(demo)/encrypt.conf",
            toPath: sandbox.directory("encrypt.conf")
        )
        let output = try sandbox.run(["--read-only", "sh", "-c", "cat decrypted/test1"])
        #expect(output.status == 0)
        #expect(output.text == "This is an encrypted test file\n")
        // In the namespace it was in; here it never was.
        #expect(try manager.contentsOfDirectory(atPath: sandbox.directory("decrypted")).isEmpty)
    }

    @Test func `is made on first start, and read again on the next`() throws {
        let written = "plaintext-sentinel-60a1"
        let first = try sandbox.run(["sh", "-c", "echo \(written) > decrypted/file"])
        #expect(first.status == 0)
        #expect(first.errorText.contains("new volume made"))
        #expect(first.errorText.contains("volume mounted"))
        #expect(first.errorText.contains("volume unmounted"))
        let second = try sandbox.run(["cat", "decrypted/file"])
        #expect(second.text == "\(written)\n")
        #expect(!second.errorText.contains("new volume made"))
        // Nothing readable was left behind, nor PEM; the control finds what is planted.
        try sandbox.directory.write("\(written)\n", to: "planted")
        let files = try sandbox.snapshot()
        let holding = files.filter { $0.value.range(of: Data(written.utf8)) != nil }.keys
        #expect(Array(holding) == ["planted"])
        #expect(!files.keys.contains { $0.contains("file") })
    }

    @Test func `keeps a journal where it is told to`() throws {
        let lock = "storage/gocryptfs.longname.secure-store-writer.name"
        let script = """
            for text in one two six; do
                printf $text | dd of=decrypted/file conv=notrunc,fsync status=none
            done
            head -n 1 \(lock); grep -c SSWRITE1 \(lock); cat decrypted/file
            """
        let output = try sandbox.run(["--journal", "sh", "-c", script])
        #expect(output.status == 0)
        let lines = output.text.split(separator: "\n")
        #expect(lines.first?.hasSuffix(" journal") == true, "\(output.text)")
        #expect(lines.last == "six")
        #expect(!FileManager.default.fileExists(atPath: sandbox.directory(lock)))
        for other in [["--read-only"], ["--shared-storage"], ["--view", "memory"]] {
            let refused = try sandbox.run(["--journal"] + other + ["true"])
            #expect(refused.status == 64)
            #expect(refused.errorText.contains("--journal is for a volume that nobody else"))
        }
    }

    @Test(.requires(.tool("mountpoint")), arguments: ["true", "mount -o remount,ro,bind /sys"])
    func `is read 1 MiB ahead, also where /sys is read-only`(
        first: String
    ) throws {
        let asked = "cat /sys/class/bdi/$(mountpoint -d decrypted)/read_ahead_kb"
        let output = try sandbox.run(
            ["sh", "-c", asked],
            wrapper: ["sh", "-c", "\(first) && exec \"$@\"", "sh"]
        )
        #expect(output.text == "1024\n", "\(output.errorText)")
    }

    @Test func `is made so that guessing at its key is dear, unless the key was generated`()
        throws
    {
        for (key, cost) in [(Sample.generatedKey().text, 1 << 10), ("a password", 1 << 16)] {
            try sandbox.directory.write("\(key)\n", to: "key", mode: 0o600)
            #expect(try sandbox.run(["true"]).status == 0)
            let path = sandbox.directory("storage/gocryptfs.conf")
            let file = try Data(contentsOf: URL(fileURLWithPath: path))
            let made = try JSONSerialization.jsonObject(with: file) as? [String: Any]
            #expect((made?["ScryptObject"] as? [String: Any])?["N"] as? Int == cost)
            try FileManager.default.removeItem(atPath: sandbox.directory("storage"))
        }
    }

    @Test func `is not made where that is not wanted`() throws {
        let output = try sandbox.run(["--create", "never", "true"])
        #expect(output.status == 78)
        #expect(
            !FileManager.default.fileExists(atPath: sandbox.directory("storage/gocryptfs.conf"))
        )
    }

    @Test func `under the wrong key gives 65 and changes nothing`() throws {
        #expect(try sandbox.run(["sh", "-c", "echo x > decrypted/file"]).status == 0)
        let before = try sandbox.snapshot()
        try sandbox.directory.write("another-password", to: "wrong")
        let output = try InitProcess.run(
            ["--key-source", "file:\(sandbox.directory("wrong"))", "sh", "-c", "echo started"],
            directory: sandbox.directory.path
        )
        #expect(output.status == 65)
        #expect(output.text.isEmpty)
        try FileManager.default.removeItem(atPath: sandbox.directory("wrong"))
        #expect(try sandbox.snapshot() == before)
    }

    @Test func `is served by a process with few rights, without key in the supervisor`() throws {
        let process = try InitProcess(
            sandbox.unlock + ["sleep", "60"],
            directory: sandbox.directory.path
        )
        try process.process.waitForOutput(containing: "command started")
        let worker = try process.command(named: "secure-init-vol")
        #expect(ProcessTree.status("CapEff", of: worker) == "000000000800401f")
        #expect(ProcessTree.status("CapBnd", of: worker) == "000000000800401f")
        #expect(ProcessTree.status("NoNewPrivs", of: worker) == "1")
        #expect(ProcessTree.bytes("/proc/\(worker)/environ").isEmpty)
        let needle = Array(Sample.password.utf8)
        #expect(try MemoryScan.find([needle], in: try process.pid).isEmpty)
        #expect(try MemoryScan.find([needle], in: try process.command(named: "sleep")).isEmpty)
        // /dev/fuse is the worker's alone.
        let devices = { (pid: Int32) in
            ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? [])
                .compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/fd/\($0)"
                    )
                }.filter { $0 == "/dev/fuse" }
        }
        #expect(devices(try process.pid).isEmpty)
        #expect(devices(try process.command(named: "sleep")).isEmpty)
        #expect(!devices(worker).isEmpty)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `is there for the user the command runs as`() throws {
        chmod(sandbox.directory.path, 0o755)
        let output = try sandbox.run([
            "--user", "4711:4711", "sh", "-c", "echo mine > decrypted/file && cat decrypted/file",
        ])
        #expect(output.status == 0)
        #expect(output.text == "mine\n")
    }

    @Test func `mounted read-only refuses changes`() throws {
        #expect(try sandbox.run(["true"]).status == 0)
        let output = try sandbox.run(["--read-only", "sh", "-c", "echo x > decrypted/file"])
        #expect(output.status != 0)
        #expect(output.errorText.contains("Read-only file system"))
    }

    @Test func `has its warnings in the form of the log`() throws {
        #expect(try sandbox.run(["true"]).status == 0)
        try sandbox.directory.write("x", to: "storage/no-name-of-ours")
        let output = try sandbox.run(["--log-format", "json", "ls", "decrypted"])
        #expect(output.status == 0)
        #expect(output.errorText.contains("no-name-of-ours"))
        for line in output.errorText.split(separator: "\n") {
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(line.utf8))
            }
        }
    }
}
