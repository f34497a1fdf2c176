import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .fuse, .executables, .tool("tini"))) struct `Idling` {
    /// Voluntary and other context switches: nothing runs without one.
    private func switches(_ pids: [Int32]) -> [Int] {
        pids.flatMap { pid in
            let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task"))
            return (tasks ?? []).sorted().flatMap { task in
                ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"].map { field in
                    let status = ProcessTree.text("/proc/\(pid)/task/\(task)/status")
                    let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
                    return line?.split(separator: "\t").last.flatMap { Int($0) } ?? -1
                }
            }
        }
    }

    @Test func `wakes nobody for a minute, neither the supervisor nor a helper of its`() throws {
        let directory = try Sample.keyDirectory()
        let plain = try InitProcess(["--env-only", "sleep", "600"])
        let volume = try InitProcess(
            ["--key-source", "file:\(directory("key"))", "sleep", "600"],
            place: .belowAnother,
            directory: directory.path
        )
        for process in [plain, volume] {
            try process.process.waitForOutput(containing: "command started")
        }
        let pids = [
            try plain.pid, try volume.pid, try volume.command(named: "secure-init-mnt"),
            try volume.command(named: "secure-init-vol"),
        ]
        // The start is over when nothing has moved for a second.
        var before: [Int] = []
        #expect(
            waitUntil(timeout: 30) {
                before = switches(pids)
                sleep(1)
                return switches(pids) == before
            }
        )
        #expect(before.count >= 2 * (3 + 2), "one thread, one thread, one thread, several")
        #expect(!before.contains(-1))
        sleep(60)
        #expect(switches(pids) == before)
        // The control: something that happens is seen in each of them.
        for process in [plain, volume] { try process.signal(SIGWINCH) }
        for signal in [SIGSTOP, SIGCONT] { kill(pids[2], signal) }
        _ = try Subprocess.run(
            "nsenter",
            ["--mount=/proc/\(try volume.pid)/ns/mnt", "ls", directory("decrypted")]
        )
        let counts = before.count / 2
        #expect(
            waitUntil(timeout: 20) {
                let after = switches(pids)
                return after[0] != before[0] && after[2] != before[2] && after[4] != before[4]
                    && after[6...] != before[6...] && after.count == 2 * counts
            }
        )
        for process in [plain, volume] { try process.signal(SIGTERM) }
        try plain.process.wait()
        try volume.process.waitForOutput(containing: "ended 143")
    }
}
