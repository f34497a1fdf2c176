import Foundation
import TestSupport
import Testing

@Suite(.requires(.fuse, .tool("python3"))) struct `Rewriting a large file` {
    private let mebibytes = 256

    /// The most memory a process has held at any moment, in bytes.
    private func peak(of pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.split(separator: " ").dropLast().last ?? "")) << 10
    }

    @Test(arguments: MountedVolume.Format.allCases)
    func `takes memory for the requests, not for the file`(format: MountedVolume.Format) throws {
        let volume = try MountedVolume(format: format)
        let worker = try #require(volume.worker?.pid)
        let idle = try peak(of: worker)
        let threads = try FileManager.default.contentsOfDirectory(
            atPath: "/proc/\(worker)/task"
        ).count
        // What a thread works in, the blocks that wait (4 MiB), and room for the heap.
        let bound = threads * (4 << 20) + (16 << 20)
        try #require(bound < mebibytes << 20, "the file is too small to show anything")

        let client = try Client.start("large.py", [volume("large"), "\(mebibytes)"])
        try client.wait()
        #expect(client.text == "written\nrewritten\nright\n", "\(client.errorText)")
        let grown = try peak(of: worker) - idle
        #expect(grown < bound, "\(grown >> 20) MiB, at most \(bound >> 20)")

        // The control: who does hold the file is seen to.
        let holder = try Client.start("large.py", [volume("large"), "\(mebibytes)", "hold"])
        try holder.waitForOutput(containing: "held")
        #expect(try peak(of: holder.pid) > mebibytes << 20)
        holder.signal(SIGKILL)
        try holder.wait()
        try volume.unmount()
        #expect(try volume.drafts().isEmpty)
    }
}
