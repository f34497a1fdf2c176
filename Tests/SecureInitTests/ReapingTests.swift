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

    @Test func `two thousand at once leave no zombie`() throws {
        let process = try InitProcess([
            "--env-only", "python3", "-c", Self.makeOrphans, "2000", "30",
        ])
        let pid = try process.pid
        try process.process.waitForOutput(containing: "made", timeout: 60)
        // Zombies are children, too: all are gone when the command alone is left.
        #expect(waitUntil(timeout: 60) { ProcessTree.children(of: pid).count == 1 })
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `idling wakes nobody`() throws {
        let process = try InitProcess(["--env-only", "sleep", "60"])
        try process.process.waitForOutput(containing: "command started")
        usleep(200_000)
        let pid = try process.pid
        let switches = {
            ProcessTree.status("voluntary_ctxt_switches", of: pid)
        }
        let before = switches()
        sleep(3)
        #expect(before != nil)
        #expect(switches() == before)
        // The control: something that happens is seen.
        try process.signal(SIGWINCH)
        #expect(waitUntil(timeout: 5) { switches() != before })
        try process.signal(SIGTERM)
        try process.process.wait()
    }
}
