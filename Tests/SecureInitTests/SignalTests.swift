import Foundation
import TestSupport
import Testing

/// What signals do to secure-init alone; what every init does is in `Signals beside tini and dumb-init`.
@Suite(.requires(.root, .executables)) struct `Signals` {
    /// Prints the number of each signal it gets, and ends by 99 after USR2.
    private static let listener = """
        import os, signal, sys
        def heard(number, frame):
            os.write(1, b"<%d>" % number)
            if number == signal.SIGUSR2: os._exit(99)
        for number in range(1, 65):
            if number in (9, 17, 19, 32, 33): continue
            signal.signal(number, heard)
        os.write(1, b"ready")
        while True: signal.pause()
        """

    @Test func `that ask to end do so while the key is waited for`() throws {
        for number in [SIGTERM, SIGINT, SIGQUIT, SIGHUP] {
            let process = try InitProcess([
                "--env-only", "--key-source", "file:/nonexistent", "true",
            ])
            try process.process.waitForOutput(containing: "waiting for the key")
            let pid = try process.pid
            kill(pid, number)
            let output = try process.process.wait()
            #expect(output.status == 128 + number)
            #expect(output.errorText.contains("stopped before the command was started"))
        }
    }

    @Test func `that were ignored stay ignored, SIGCHLD included`() throws {
        let ignoring = [
            "python3", "-c",
            "import os,signal,sys;"
                + "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGHUP, signal.SIGCHLD)];"
                + "os.execv(sys.argv[1], sys.argv[1:])",
        ]
        let output = try InitProcess.run(
            ["--env-only", "grep", "SigIgn", "/proc/self/status"],
            wrapper: ignoring
        )
        #expect(output.status == 0, "the command's end was seen though SIGCHLD was ignored")
        let digits = try #require(output.text.split(whereSeparator: \.isWhitespace).last)
        #expect(try #require(UInt64(digits, radix: 16)) & 0x10001 == 0x10001)
    }

    @Test func `ten thousand in a row neither stop nor confuse it`() throws {
        let process = try InitProcess(["--env-only", "python3", "-c", Self.listener])
        try process.process.waitForOutput(containing: "ready")
        let pid = try process.pid
        for _ in 0..<10_000 { kill(pid, SIGUSR1) }
        kill(pid, SIGUSR2)
        #expect(try process.process.wait().status == 99)
    }

    /// Sends a process that many signals a second for so many seconds: USR1 and three real-time ones
    /// in turn, each again where the kernel's queue is full.
    private static let sender = """
        import ctypes, sys, time
        libc = ctypes.CDLL(None, use_errno=True)
        pid, rate, seconds = (int(a) for a in sys.argv[1:])
        start = time.monotonic()
        sent = {}
        for number in range(rate * seconds):
            kind = (10, 34, 35, 64)[number % 4]
            while libc.kill(pid, kind): time.sleep(0.001)
            sent[kind] = sent.get(kind, 0) + 1
            ahead = start + (number + 1) / rate - time.monotonic()
            if ahead > 0: time.sleep(ahead)
        print(" ".join("%d:%d" % item for item in sorted(sent.items())))
        """

    /// Counts what it gets, and says so at USR2; with all signals blocked, the kernel queues every
    /// real-time one for it.
    private static let counter = """
        import os, signal
        everything = set(range(1, 65)) - {9, 19, 32, 33}
        signal.pthread_sigmask(signal.SIG_BLOCK, everything)
        os.write(1, b"ready")
        heard = {}
        while True:
            number = signal.sigwait(everything)
            if number == signal.SIGUSR2: break
            heard[number] = heard.get(number, 0) + 1
        print("", " ".join("%d:%d" % item for item in sorted(heard.items())), flush=True)
        """

    @Test func `a thousand a second lose no real-time one, and merge the others only`() throws {
        let process = try InitProcess(["--env-only", "python3", "-c", Self.counter])
        try process.process.waitForOutput(containing: "ready")
        let pid = try process.pid
        let sent = try Subprocess.run("python3", ["-c", Self.sender, "\(pid)", "1000", "5"])
        #expect(sent.text == "10:1250 34:1250 35:1250 64:1250\n")
        // The command takes what it has before this one: a lower number goes first.
        usleep(200_000)
        kill(pid, SIGUSR2)
        let heard = try process.process.wait().text
        for kind in ["34:1250", "35:1250", "64:1250"] { #expect(heard.contains(kind), "\(heard)") }
        let merged = try #require(heard.split(separator: " ").first { $0.hasPrefix("10:") })
        let count = try #require(Int(merged.dropFirst(3)))
        #expect(count > 100 && count <= 1250)
    }
}
