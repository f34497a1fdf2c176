import Foundation
import TestSupport
import Testing

@Suite(.requires(.fuse, .tool("python3")))
struct ApplicationTests {
    @Test(arguments: ["delete", "wal"])
    func `SQLite keeps its promises`(mode: String) throws {
        let volume = try MountedVolume()
        try Client.run("sqlite.py", ["check", volume("db"), mode])
        try volume.remount()
        try Client.run("sqlite.py", ["verify", volume("db"), "59"])
        try volume.unmount()
    }

    @Test(arguments: ["delete", "wal"])
    func `SQLite loses no transaction when the worker is killed`(mode: String) throws {
        let volume = try MountedVolume()
        let client = try Client.start("sqlite.py", ["endless", volume("db"), mode])
        let deadline = Date(timeIntervalSinceNow: 30)
        while client.text.split(separator: "\n").count < 25, Date() < deadline { usleep(5000) }
        try volume.kill()
        try client.wait()
        let last = client.text.split(separator: "\n").count - 1
        #expect(last >= 24, "\(client.errorText)")
        try volume.mount()
        try Client.run("sqlite.py", ["verify", volume("db"), String(last)])
        #expect(try volume.drafts().isEmpty)
        try volume.unmount()
    }

    @Test func `several processes write and read at once`() throws {
        let volume = try MountedVolume()
        try Client.run("parallel.py", [volume.mountPoint, "6"])
        try volume.unmount()
        #expect(try volume.drafts().isEmpty)
    }

    @Test func `a killed worker leaves the old content or the new, and no drafts`() throws {
        let count = 6 << 20
        let volume = try MountedVolume()
        var rng = SystemRandomNumberGenerator()
        for _ in 0..<12 {
            let client = try Client.start("rewrite.py", [volume("file"), String(count)])
            let deadline = Date(timeIntervalSinceNow: 30)
            while !client.text.contains("done"), Date() < deadline { usleep(2000) }
            usleep(UInt32.random(in: 0..<60_000, using: &rng))
            try volume.kill()
            try client.wait()
            // What was durable, and what was being written.
            let lines = client.text.split(separator: "\n").map(String.init)
            let letters = lines.filter { $0 != "done" }
            let durable = lines.filter { $0 == "done" }.count - 1
            let allowed = letters[max(durable, 0)...].compactMap(\.utf8.first)
            try volume.mount()
            let content = try Data(contentsOf: URL(fileURLWithPath: volume("file")))
            #expect(content.count == count)
            let first = try #require(content.first)
            #expect(allowed.contains(first), "found \(first), allowed \(allowed)")
            #expect(content.allSatisfy { $0 == first })
            #expect(try volume.drafts().isEmpty)
        }
        try volume.unmount()
    }

    @Test func `what is written last is stored when the mount goes`() throws {
        let volume = try MountedVolume()
        // The writer ends without closing; the unmounting follows at once.
        let output = try Subprocess.run(
            "sh",
            ["-c", "printf last > '\(volume("file"))'; umount '\(volume.mountPoint)'"]
        )
        #expect(output.status == 0, "\(output.errorText)")
        try volume.worker?.wait()
        try volume.mount()
        #expect(try String(contentsOfFile: volume("file"), encoding: .utf8) == "last")
        try volume.unmount()
    }

    @Test func `an unmounted session keeps no memory of content and ends`() throws {
        let volume = try MountedVolume()
        try Data(repeating: 7, count: 3 << 20).write(to: URL(fileURLWithPath: volume("file")))
        let log = try volume.unmount()
        #expect(log.split(separator: "\n").allSatisfy { $0.contains("locked memory") }, "\(log)")
        #expect(volume.worker == nil)
    }
}
