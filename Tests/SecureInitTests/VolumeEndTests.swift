import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .fuse, .executables), .serialized) struct `A volume at its end` {
    private let sandbox: VolumeSandbox

    init() throws {
        sandbox = try VolumeSandbox()
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
        let output = try sandbox.run([
            "--format", "rclone", "python3", "-c", Self.lastWriter, writer, "9",
        ])
        #expect(output.status == 9)
        #expect(output.errorText.contains("ending what is left"))
        // Read by another's hand, and nothing of it was plaintext on the way.
        let plain = try Subprocess.run(
            "rclone",
            ["--config", "encrypt.conf", "cat", "encrypted_storage:last"],
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": sandbox.directory.path,
                "RCLONE_CONFIG_PASS": Sample.password,
            ],
            directory: sandbox.directory.path
        )
        #expect(plain.text == String(repeating: "last words\n", count: 20_000))
        #expect(try sandbox.run(["cat", "decrypted/last"]).text == plain.text)
    }

    @Test func `loses what a process writes that is killed first, so the test above can fail`()
        throws
    {
        let output = try sandbox.run([
            "--stop-grace", "0s", "python3", "-c", Self.lastWriter, "process", "9",
        ])
        #expect(output.status == 9)
        #expect(try sandbox.run(["cat", "decrypted/last"]).status != 0)
    }

    @Test func `lost after the command has ended is not passed over`() throws {
        let process = try InitProcess(
            sandbox.unlock + [
                "--stop-grace", "60s", "sh", "-c",
                "setsid sh -c 'trap \"\" TERM; echo up; while :; do sleep 0.05; done' & sleep 0.5",
            ],
            directory: sandbox.directory.path
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
            sandbox.unlock + ["sh", "-c", "echo up; sleep 60; echo survived"],
            directory: sandbox.directory.path
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
        #expect(try sandbox.run(["true"]).status == 0, "the next start heals")
    }

    @Test func `left mounted by a crash is detached and mounted anew`() throws {
        let script =
            "\"$0\" \"$@\" sleep 60 & i=$!; until mountpoint -q decrypted; do sleep 0.05; done; "
            + "kill -STOP $i; pkill -KILL -P $i -x secure-init-mnt; kill -KILL $i; "
            + "until ls decrypted 2>&1 | grep 'not connected'; do sleep 0.05; done; "
            + "exec \"$0\" \"$@\" sh -c 'echo again > decrypted/x; cat decrypted/x'"
        let output = try Subprocess.run(
            "unshare",
            ["--mount", "sh", "-c", script, Executables.secureInit] + sandbox.unlock,
            directory: sandbox.directory.path
        )
        #expect(output.text.contains("cannot open"), "the control: the mount was dead")
        #expect(output.text.hasSuffix("again\n"))
        #expect(output.status == 0)
    }

    @Test func `still in use when everything has ended is detached`() throws {
        // A shell that is none of the command's descendants, as `docker exec` makes one, would be
        // ended; a process of another pid namespace is not seen, and holds the mount.
        let process = try sandbox.running()
        let holder = try Subprocess.start(
            "nsenter",
            ["--mount", "--target", "\(try process.pid)", "sh", "-c"]
                + ["cd \(sandbox.directory("decrypted")) && echo in && sleep 60"]
        )
        try holder.waitForOutput(containing: "in")
        try process.signal(SIGTERM)
        try process.process.waitForOutput(containing: "still in use")
        holder.signal(SIGKILL)
        for pid in ProcessTree.descendants(of: holder.pid) { kill(pid, SIGKILL) }
        #expect(try process.process.wait(timeout: 20).status == 143)
    }

    @Test func `is waited for, aloud, while another mount name space has it`() throws {
        let process = try sandbox.running()
        // Uses nothing of the volume, but has a copy of the mount.
        let holder = try Subprocess.start(
            "nsenter",
            ["--mount", "--target", "\(try process.pid)", "unshare", "--mount"]
                + ["--propagation", "private", "sh", "-c"]
                + [
                    "cd \(sandbox.directory.path); echo in; until [ -e go ]; do sleep 0.1; done;"
                        + " echo late >decrypted/late; echo out; sleep 60"
                ]
        )
        try holder.waitForOutput(containing: "in")
        try process.signal(SIGTERM)
        try process.process.waitForOutput(containing: "goes on after the unmounting")
        try sandbox.directory.write("", to: "go")
        try holder.waitForOutput(containing: "out")
        #expect(!process.process.errorText.contains("volume unmounted"))
        for pid in [holder.pid] + ProcessTree.descendants(of: holder.pid) { kill(pid, SIGKILL) }
        let output = try process.process.wait(timeout: 20)
        #expect(output.status == 143)
        #expect(output.errorText.contains("volume unmounted"))
        #expect(try sandbox.run(["cat", "decrypted/late"]).text == "late\n")
    }

    @Test func `is left by a signal at any phase of the start`() throws {
        for milliseconds in stride(from: 0, through: 200, by: 20) {
            let process = try InitProcess(
                sandbox.unlock + ["sleep", "60"],
                directory: sandbox.directory.path
            )
            let pid = try process.pid
            // The kernel drops what reaches process 1 before it has blocked its signals.
            try #require(waitUntil(timeout: 5) { ProcessTree.blocksSignals(pid) })
            usleep(UInt32(milliseconds) * 1000)
            kill(pid, SIGTERM)
            let output = try process.process.wait(timeout: 20)
            #expect(output.status == 143, "after \(milliseconds) ms: \(output.errorText)")
        }
        #expect(try sandbox.run(["true"]).status == 0)
    }
}
