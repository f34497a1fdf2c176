import Foundation
import Linux
import TestSupport
import Testing

@Suite struct `Starting a process` {
    /// Starts, waits for the report, and reaps.
    private func outcome(
        _ candidates: [String],
        _ change: (inout ProcessStart) -> Void = { _ in }
    ) throws -> (report: StartedProcess.Report, status: Int32) {
        let environment = CStringArray(["A=1"])
        var start = ProcessStart(
            candidates: candidates,
            arguments: CStringArray(["name", "-c", "exit ${A}2"]),
            environment: environment.pointer
        )
        change(&start)
        let process = try start.start()
        withExtendedLifetime(environment) {}
        var waits = WaitList()
        waits.add(process.descriptor.rawValue, .readable)
        try waits.wait(until: nil)
        let report = process.report()
        var status: Int32 = 0
        while waitpid(process.pid, &status, 0) == -1, errno == EINTR {}
        return (report, status >> 8 & 0xff)
    }

    @Test func `executes with arguments and environment`() throws {
        let (report, status) = try outcome(["/bin/sh"])
        #expect(report == .executed)
        #expect(status == 12)
    }

    @Test func `goes on to the next candidate where there is none`() throws {
        #expect(try outcome(["/none/sh", "/etc/passwd/sh", "/bin/sh"]).status == 12)
    }

    @Test func `reports why it could not execute`() throws {
        let directory = try TemporaryDirectory()
        let plain = try directory.write("x", to: "plain", mode: 0o644)
        let text = try directory.write("x", to: "text", mode: 0o755)
        let failures: [([String], Errno)] = [
            (["/none"], .noSuchFile), ([plain], .permissionDenied),
            ([plain, "/none"], .permissionDenied), ([text], Errno(rawValue: ENOEXEC)),
        ]
        for (candidates, errno) in failures {
            let report = try outcome(candidates).report
            #expect(report == .failed(.init(stage: .execution, errno: errno)))
        }
    }

    @Test func `reports what it could not do before`() throws {
        let report = try outcome(["/bin/sh"]) { $0.directory = "/none" }.report
        #expect(report == .failed(.init(stage: .directory, errno: .noSuchFile)))
    }

    @Test func `gives descriptors the numbers asked for, even crosswise`() throws {
        let one = Foundation.Pipe()
        let two = Foundation.Pipe()
        let first = one.fileHandleForWriting.fileDescriptor
        let second = two.fileHandleForWriting.fileDescriptor
        let environment = CStringArray(["PATH=/usr/bin:/bin"])
        var start = ProcessStart(
            candidates: ["/usr/bin/env"],
            arguments: CStringArray([
                "env", "bash", "-c",
                "echo one >&\(second); echo two >&\(first); ls /proc/$$/fd >&\(first)",
            ]),
            environment: environment.pointer
        )
        start.descriptors = [(second, first), (first, second)]
        start.isolatesDescriptors = true
        let process = try start.start()
        var status: Int32 = 0
        while waitpid(process.pid, &status, 0) == -1, errno == EINTR {}
        withExtendedLifetime(environment) {}
        try one.fileHandleForWriting.close()
        try two.fileHandleForWriting.close()
        let heardByOne = one.fileHandleForReading.readDataToEndOfFile()
        let heardByTwo = two.fileHandleForReading.readDataToEndOfFile()
        #expect(heardByOne == Data("one\n".utf8))
        let lines = String(decoding: heardByTwo, as: UTF8.self).split(separator: "\n")
        #expect(lines.first == "two")
        let known = Set(["0", "1", "2", "\(first)", "\(second)"])
        // bash opens one more at the end of its table.
        #expect(lines.dropFirst().allSatisfy { known.contains(String($0)) || $0 == "255" })
    }
}

@Suite struct `The process table` {
    @Test func `knows parents, whatever the name`() throws {
        let directory = try TemporaryDirectory()
        let odd = directory("a) R 1 (b")
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: odd)
        let process = try Subprocess.start(odd, ["30"])
        #expect(waitUntil(timeout: 10) { ProcessTable.parent(of: process.pid) == getpid() })
        #expect(try ProcessTable.descendants(of: getpid()).contains(process.pid))
        #expect(ProcessTable.isDescendant(process.pid, of: getpid()))
        #expect(!ProcessTable.isDescendant(1, of: getpid()))
        #expect(!ProcessTable.hasEnded(process.pid))
        process.signal(SIGKILL)
        #expect(try process.wait().status == 137)
        #expect(ProcessTable.parent(of: process.pid) == nil)
    }

    @Test func `is seen to be our own`() {
        #expect(CurrentProcess.seesOwnProcesses)
    }
}
