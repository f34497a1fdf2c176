import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .fuse, .executables), .serialized) struct `A volume` {
    let directory: TemporaryDirectory
    private let unlock: [String]

    init() throws {
        directory = try Sample.keyDirectory()
        unlock = ["--key-source", "file:\(directory("key"))"]
    }

    private func run(
        _ arguments: [String],
        wrapper: [String] = [],
        timeout: Double = 60
    ) throws -> Subprocess.Output {
        try InitProcess.run(
            unlock + arguments,
            wrapper: wrapper,
            directory: directory.path,
            timeout: timeout
        )
    }

    /// One whose command runs, and does nothing.
    private func running() throws -> InitProcess {
        let process = try InitProcess(
            unlock + ["sh", "-c", "echo up; sleep 60"],
            directory: directory.path
        )
        try process.process.waitForOutput(containing: "up")
        return process
    }

    /// Every file under the directory but the key, with its contents.
    private func snapshot() throws -> [String: Data] {
        var files: [String: Data] = [:]
        let manager = FileManager.default
        for name in try manager.subpathsOfDirectory(atPath: directory.path) where name != "key" {
            files[name] = manager.contents(atPath: directory(name)) ?? Data()
        }
        return files
    }

    @Test func `of the original program is seen decrypted`() throws {
        let demo = Fixtures.path("secure-store-demo")
        let manager = FileManager.default
        try manager.copyItem(atPath: "\(demo)/storage", toPath: directory("storage"))
        try manager.copyItem(atPath: "\(demo)/encrypt.conf", toPath: directory("encrypt.conf"))
        let output = try run(["--read-only", "sh", "-c", "cat decrypted/test1"])
        #expect(output.status == 0)
        #expect(output.text == "This is an encrypted test file\n")
        // In the namespace it was in; here it never was.
        #expect(try manager.contentsOfDirectory(atPath: directory("decrypted")).isEmpty)
    }

    @Test func `is made on first start, and read again on the next`() throws {
        let written = "plaintext-sentinel-60a1"
        let first = try run(["sh", "-c", "echo \(written) > decrypted/file"])
        #expect(first.status == 0)
        #expect(first.errorText.contains("new volume made"))
        #expect(first.errorText.contains("volume mounted"))
        #expect(first.errorText.contains("volume unmounted"))
        let second = try run(["cat", "decrypted/file"])
        #expect(second.text == "\(written)\n")
        #expect(!second.errorText.contains("new volume made"))
        // Nothing readable was left behind, nor PEM; the control finds what is planted.
        try directory.write("\(written)\n", to: "planted")
        let files = try snapshot()
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
        let output = try run(["--journal", "sh", "-c", script])
        #expect(output.status == 0)
        let lines = output.text.split(separator: "\n")
        #expect(lines.first?.hasSuffix(" journal") == true, "\(output.text)")
        #expect(lines.last == "six")
        #expect(!FileManager.default.fileExists(atPath: directory(lock)))
        for other in [["--read-only"], ["--shared-storage"], ["--view", "memory"]] {
            let refused = try run(["--journal"] + other + ["true"])
            #expect(refused.status == 64)
            #expect(refused.errorText.contains("--journal is for a volume that nobody else"))
        }
    }

    @Test(.requires(.tool("mountpoint")), arguments: ["true", "mount -o remount,ro,bind /sys"])
    func `is read 1 MiB ahead, also where /sys is read-only`(
        first: String
    ) throws {
        let asked = "cat /sys/class/bdi/$(mountpoint -d decrypted)/read_ahead_kb"
        let output = try run(
            ["sh", "-c", asked],
            wrapper: ["sh", "-c", "\(first) && exec \"$@\"", "sh"]
        )
        #expect(output.text == "1024\n", "\(output.errorText)")
    }

    @Test func `is made so that guessing at its key is dear, unless the key was generated`()
        throws
    {
        for (key, cost) in [(Sample.generatedKey().text, 1 << 10), ("a password", 1 << 16)] {
            try directory.write("\(key)\n", to: "key", mode: 0o600)
            #expect(try run(["true"]).status == 0)
            let path = directory("storage/gocryptfs.conf")
            let file = try Data(contentsOf: URL(fileURLWithPath: path))
            let made = try JSONSerialization.jsonObject(with: file) as? [String: Any]
            #expect((made?["ScryptObject"] as? [String: Any])?["N"] as? Int == cost)
            try FileManager.default.removeItem(atPath: directory("storage"))
        }
    }

    @Test func `is not made where that is not wanted`() throws {
        let output = try run(["--create", "never", "true"])
        #expect(output.status == 78)
        #expect(!FileManager.default.fileExists(atPath: directory("storage/gocryptfs.conf")))
    }

    @Test func `under the wrong key gives 65 and changes nothing`() throws {
        #expect(try run(["sh", "-c", "echo x > decrypted/file"]).status == 0)
        let before = try snapshot()
        try directory.write("another-password", to: "wrong")
        let output = try InitProcess.run(
            ["--key-source", "file:\(directory("wrong"))", "sh", "-c", "echo started"],
            directory: directory.path
        )
        #expect(output.status == 65)
        #expect(output.text.isEmpty)
        try FileManager.default.removeItem(atPath: directory("wrong"))
        #expect(try snapshot() == before)
    }

    /// Forks twice into a session of its own, lets the command end, and writes at TERM, a moment
    /// later, without `fsync`; the second form from a thread that outlives the first one.
    private static let lastWriter = """
        import ctypes, os, signal, sys, threading, time
        def write(*_):
            time.sleep(0.3)
            with open("decrypted/last", "w") as file: file.write("last words\\n" * 20000)
            os._exit(0)
        if os.fork():
            while not os.path.exists("up"): time.sleep(0.01)
            os._exit(int(sys.argv[2]))
        os.setsid()
        if os.fork(): os._exit(0)
        if sys.argv[1] == "process":
            signal.signal(signal.SIGTERM, write)
            open("up", "w").close()
            while True: signal.pause()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        def await_signal():
            open("up", "w").close()
            signal.sigwait([signal.SIGTERM])
            write()
        threading.Thread(target=await_signal).start()
        ctypes.CDLL(None).pthread_exit(None)
        """

    @Test(.requires(.tool("python3"), .tool("rclone")), arguments: ["process", "thread"])
    func `keeps what the last process writes while it is ended`(writer: String) throws {
        let output = try run([
            "--format", "rclone", "python3", "-c", Self.lastWriter, writer, "9",
        ])
        #expect(output.status == 9)
        #expect(output.errorText.contains("ending what is left"))
        // Read by another's hand, and nothing of it was plaintext on the way.
        let plain = try Subprocess.run(
            "rclone",
            ["--config", "encrypt.conf", "cat", "encrypted_storage:last"],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": directory.path,
                "RCLONE_CONFIG_PASS": Sample.password,
            ],
            directory: directory.path
        )
        #expect(plain.text == String(repeating: "last words\n", count: 20_000))
        #expect(try run(["cat", "decrypted/last"]).text == plain.text)
    }

    @Test func `loses what a process writes that is killed first, so the test above can fail`()
        throws
    {
        let output = try run([
            "--stop-grace", "0s", "python3", "-c", Self.lastWriter, "process", "9",
        ])
        #expect(output.status == 9)
        #expect(try run(["cat", "decrypted/last"]).status != 0)
    }

    @Test func `lost after the command has ended is not passed over`() throws {
        let process = try InitProcess(
            unlock + [
                "--stop-grace", "60s", "sh", "-c",
                "setsid sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.05; done' & sleep 0.5",
            ],
            directory: directory.path
        )
        try process.process.waitForOutput(containing: "ending what is left")
        let worker = try process.command(named: "secure-init-vol")
        kill(worker, SIGKILL)
        #expect(waitUntil(timeout: 20) { !ProcessTree.exists(worker) })
        try process.signal(SIGTERM)
        let output = try process.process.wait(timeout: 20)
        #expect(output.status == 74, "though the command ended with 0")
        #expect(output.errorText.contains("the volume's process was killed by SIGKILL"))
    }

    @Test func `whose process is killed ends the command, and says why`() throws {
        let process = try InitProcess(
            unlock + ["sh", "-c", "echo up; sleep 60; echo survived"],
            directory: directory.path
        )
        try process.process.waitForOutput(containing: "up")
        let worker = try process.command(named: "secure-init-vol")
        // What asks to end is ignored: only the unmount ends it.
        for number in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] { kill(worker, number) }
        usleep(300_000)
        #expect(process.process.status == nil)
        kill(worker, SIGKILL)
        let output = try process.process.wait(timeout: 20)
        #expect(output.status == 74)
        #expect(output.errorText.contains("the volume's process was killed by SIGKILL"))
        #expect(!output.text.contains("survived"))
        #expect(try run(["true"]).status == 0, "the next start heals")
    }

    @Test func `is served by a process with few rights, without key in the supervisor`() throws {
        let process = try InitProcess(unlock + ["sleep", "60"], directory: directory.path)
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
        chmod(directory.path, 0o755)
        let output = try run([
            "--user", "4711:4711", "sh", "-c", "echo mine > decrypted/file && cat decrypted/file",
        ])
        #expect(output.status == 0)
        #expect(output.text == "mine\n")
    }

    @Test func `mounted read-only refuses changes`() throws {
        #expect(try run(["true"]).status == 0)
        let output = try run(["--read-only", "sh", "-c", "echo x > decrypted/file"])
        #expect(output.status != 0)
        #expect(output.errorText.contains("Read-only file system"))
    }

    @Test func `cannot be mounted without the capability, and nothing is made`() throws {
        let output = try run(["true"], wrapper: ["setpriv", "--bounding-set=-sys_admin"])
        #expect(output.status == 71)
        #expect(output.errorText.contains("--device /dev/fuse --cap-add SYS_ADMIN"))
        #expect(output.errorText.contains("apparmor"))
        #expect(try snapshot().isEmpty)
    }

    @Test func `cannot be mounted as an ordinary user, who is told of --user`() throws {
        chmod(directory("key"), 0o644)
        chmod(directory.path, 0o777)
        let output = try run(
            ["true"],
            wrapper: ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        )
        #expect(output.status == 71)
        #expect(output.errorText.contains("--user"))
    }

    @Test func `cannot be mounted without /dev/fuse`() throws {
        let output = try run(
            ["true"],
            wrapper: ["sh", "-c", "mount --bind /dev/null /dev/fuse; exec \"$@\"", "sh"]
        )
        // A device that is there and is none: the kernel refuses it when mounting.
        #expect([71, 74].contains(output.status))
        let hidden = try run(
            ["true"],
            wrapper: [
                "sh", "-c", "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; exec \"$@\"",
                "sh",
            ]
        )
        #expect(hidden.status == 71)
        #expect(hidden.errorText.contains("/dev/fuse cannot be opened"))
    }

    @Test func `is not mounted over files, nor into its own storage`() throws {
        try directory.write("x", to: "decrypted/file")
        let full = try run(["true"])
        #expect(full.status == 78)
        #expect(full.errorText.contains("not empty"))
        let nested = try run(["--storage", "s", "--mount", "s/view", "true"])
        #expect(nested.status == 78)
        #expect(nested.errorText.contains("one in the other"))
    }

    @Test func `has its warnings in the form of the log`() throws {
        #expect(try run(["true"]).status == 0)
        try directory.write("x", to: "storage/no-name-of-ours")
        let output = try run(["--log-format", "json", "ls", "decrypted"])
        #expect(output.status == 0)
        #expect(output.errorText.contains("no-name-of-ours"))
        for line in output.errorText.split(separator: "\n") {
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(line.utf8))
            }
        }
    }

    @Test func `left mounted by a crash is detached and mounted anew`() throws {
        let script =
            "\"$0\" \"$@\" sleep 60 & i=$!; until mountpoint -q decrypted; do sleep 0.05; done; "
            + "kill -STOP $i; pkill -KILL -P $i -x secure-init-mnt; kill -KILL $i; "
            + "until ls decrypted 2>&1 | grep 'not connected'; do sleep 0.05; done; "
            + "exec \"$0\" \"$@\" sh -c 'echo again > decrypted/x; cat decrypted/x'"
        let output = try Subprocess.run(
            "unshare",
            ["--mount", "sh", "-c", script, Executables.secureInit] + unlock,
            directory: directory.path
        )
        #expect(output.text.contains("cannot open"), "the control: the mount was dead")
        #expect(output.text.hasSuffix("again\n"))
        #expect(output.status == 0)
    }

    @Test func `still in use when everything has ended is detached`() throws {
        // A shell that is none of the command's descendants, as `docker exec` makes one, would be
        // ended; a process of another pid namespace is not seen, and holds the mount.
        let process = try running()
        let holder = try Subprocess.start(
            "nsenter",
            ["--mount", "--target", "\(try process.pid)", "sh", "-c"]
                + ["cd \(directory("decrypted")) && echo in && sleep 60"]
        )
        try holder.waitForOutput(containing: "in")
        try process.signal(SIGTERM)
        try process.process.waitForOutput(containing: "still in use")
        holder.signal(SIGKILL)
        for pid in ProcessTree.descendants(of: holder.pid) { kill(pid, SIGKILL) }
        #expect(try process.process.wait(timeout: 20).status == 143)
    }

    @Test func `is waited for, aloud, while another mount name space has it`() throws {
        let process = try running()
        // Uses nothing of the volume, but has a copy of the mount.
        let holder = try Subprocess.start(
            "nsenter",
            ["--mount", "--target", "\(try process.pid)", "unshare", "--mount"]
                + ["--propagation", "private", "sh", "-c"]
                + [
                    "cd \(directory.path); echo in; until [ -e go ]; do sleep 0.1; done;"
                        + " echo late >decrypted/late; echo out; sleep 60"
                ]
        )
        try holder.waitForOutput(containing: "in")
        try process.signal(SIGTERM)
        try process.process.waitForOutput(containing: "goes on after the unmounting")
        try directory.write("", to: "go")
        try holder.waitForOutput(containing: "out")
        #expect(!process.process.errorText.contains("volume unmounted"))
        for pid in [holder.pid] + ProcessTree.descendants(of: holder.pid) { kill(pid, SIGKILL) }
        let output = try process.process.wait(timeout: 20)
        #expect(output.status == 143)
        #expect(output.errorText.contains("volume unmounted"))
        #expect(try run(["cat", "decrypted/late"]).text == "late\n")
    }

    @Test func `is left by a signal at any phase of the start`() throws {
        for milliseconds in stride(from: 0, through: 200, by: 20) {
            let process = try InitProcess(unlock + ["sleep", "60"], directory: directory.path)
            let pid = try process.pid
            // The kernel drops what reaches process 1 before it has blocked its signals.
            try #require(waitUntil(timeout: 5) { ProcessTree.blocksSignals(pid) })
            usleep(UInt32(milliseconds) * 1000)
            kill(pid, SIGTERM)
            let output = try process.process.wait(timeout: 20)
            #expect(output.status == 143, "after \(milliseconds) ms: \(output.errorText)")
        }
        #expect(try run(["true"]).status == 0)
    }
}
