import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables, .tool("python3"))) struct `Orphans` {
    /// Leaves that many orphans, which end at once, then waits for a line.
    private static let makeOrphans = """
        import os, sys, time
        for i in range(int(sys.argv[1])):
            pid = os.fork()
            if pid == 0:
                if os.fork() == 0:
                    time.sleep(0.01)
                os._exit(0)
            os.waitpid(pid, 0)
        print("made", flush=True)
        time.sleep(float(sys.argv[2]))
        """

    private func zombies(under pid: Int32) -> Int {
        ProcessTree.children(of: pid).filter {
            ProcessTree.status("State", of: $0)?.hasPrefix("Z") ?? false
        }.count
    }

    @Test(arguments: [InitProcess.Place.processOne, .ordinary])
    func `are adopted and reaped`(place: InitProcess.Place) throws {
        let process = try InitProcess(
            ["--env-only", "--warn-on-reap", "python3", "-c", Self.makeOrphans, "20", "30"],
            place: place
        )
        let reaped = {
            process.process.errorText.components(separatedBy: "reaped an orphan").count - 1
        }
        #expect(waitUntil(timeout: 20) { reaped() == 20 })
        #expect(zombies(under: try process.pid) == 0)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `stay zombies under a process that does not reap, so the test can fail`() throws {
        let process = try Subprocess.start(
            "unshare",
            [
                "--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL", "python3", "-c",
                Self.makeOrphans, "20", "30",
            ]
        )
        var one: Int32 = 0
        #expect(
            waitUntil(timeout: 20) {
                one = ProcessTree.children(of: process.pid).first ?? 0
                return one != 0 && zombies(under: one) == 20
            }
        )
        process.signal(SIGKILL)
    }

    /// Leaves that many orphans, which all wait for the end of a pipe, and so end at once.
    private static let endAtOnce = """
        mkfifo pipe; exec 4<>pipe 3<pipe; i=0
        while [ $i -lt "$0" ]; do ( (read -r line <&3) 4>&- & ); i=$((i + 1)); done
        echo made; until [ -e go ]; do sleep 0.01; done
        exec 4>&-; echo let go; exec sleep 600
        """

    @Test func `ten thousand at once leave no zombie and no memory taken`() throws {
        let directory = try TemporaryDirectory()
        let process = try InitProcess(
            ["--env-only", "sh", "-c", Self.endAtOnce, "10000"],
            directory: directory.path
        )
        let pid = try process.pid
        try process.process.waitForOutput(containing: "made", timeout: 120)
        #expect(waitUntil(timeout: 60) { ProcessTree.children(of: pid).count == 10_001 })
        let before = PrivateMemory(of: pid)
        try directory.write("", to: "go")
        try process.process.waitForOutput(containing: "let go")
        // Zombies are children, too: all are gone when the command alone is left.
        #expect(waitUntil(timeout: 60) { ProcessTree.children(of: pid).count == 1 })
        #expect(PrivateMemory(of: pid) == before, "nothing is allocated for a reaped child")
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    /// The size and the pages of what a process allocates, in KiB.
    private struct PrivateMemory: Equatable {
        let data: String?
        let anonymous: String?
        let heap: [Substring]

        init(of pid: Int32) {
            data = ProcessTree.status("VmData", of: pid)
            anonymous = ProcessTree.status("RssAnon", of: pid)
            heap = ProcessTree.text("/proc/\(pid)/maps").split(separator: "\n").filter {
                $0.hasSuffix("[heap]")
            }
        }
    }

    /// Makes grandchildren that live for a moment, no more than a hundred at a time, until told to
    /// stop by a signal; says so at once, then how many there were.
    private static let bomb = """
        import os, signal, sys, time
        stopped = False
        def stop(*_):
            global stopped
            os.write(1, b"heard")
            stopped = True
        signal.signal(signal.SIGUSR1, stop)
        signal.signal(signal.SIGUSR2, lambda *_: os.write(1, b"+"))
        count = 0
        print("armed", flush=True)
        while not stopped:
            for i in range(100):
                pid = os.fork()
                if pid == 0:
                    if os.fork() == 0: time.sleep(0.001)
                    os._exit(0)
                count += 1
                os.waitpid(pid, 0)
        print("bombed", count, flush=True)
        signal.pause()
        """

    @Test func `of a fork bomb are reaped while signals go on reaching the command`() throws {
        let isLong = ProcessInfo.processInfo.environment["REQUIRE_ALL"] == "1"
        let process = try InitProcess(["--env-only", "python3", "-c", Self.bomb])
        try process.process.waitForOutput(containing: "armed")
        let pid = try process.pid
        let end = ContinuousClock.now.advanced(by: .seconds(isLong ? 30 : 10))
        var sent = 0
        var mostChildren = 0
        while ContinuousClock.now < end {
            kill(pid, SIGUSR2)
            sent += 1
            // Each has come before the next is sent, so that none may be merged with it.
            #expect(
                waitUntil(timeout: 20) { process.process.text.count { $0 == "+" } == sent }
            )
            mostChildren = max(mostChildren, ProcessTree.children(of: pid).count)
            usleep(100_000)
        }
        kill(pid, SIGUSR1)
        try process.process.waitForOutput(containing: "bombed")
        let count = try #require(
            process.process.text.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
        )
        #expect(count > 1000, "it was a bomb")
        #expect(sent > 10)
        #expect(mostChildren > 1, "its grandchildren came to us")
        #expect(waitUntil(timeout: 30) { ProcessTree.children(of: pid).count == 1 })
        try process.signal(SIGTERM)
        try process.process.wait()
    }
}
