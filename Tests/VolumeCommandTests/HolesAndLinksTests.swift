import Foundation
import Linux
import TestSupport
import Testing

@Suite(.serialized, .requires(.executables))
struct `Holes and hard links` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        for name in ["folder/one", "two"] {
            try FileManager.default.linkItem(
                atPath: work.directory("plain/hello.txt"),
                toPath: work.directory("plain/\(name)")
            )
        }
        try makeSparse("plain/sparse")
        try #require(room("plain/sparse") < 1 << 20)
    }

    private static let size: UInt64 = 64 << 20

    /// A hole, a few bytes, a hole.
    private func makeSparse(_ path: String) throws {
        try work.directory.write([], to: path)
        let file = try FileHandle(forWritingTo: work.url(path))
        try file.seek(toOffset: 30 << 20)
        try file.write(contentsOf: Array("content".utf8))
        try file.truncate(atOffset: Self.size)
        try file.synchronize()
        try file.close()
    }

    private func room(_ path: String) throws -> UInt64 {
        try FileStatus(path: work.directory(path)).blocks * 512
    }

    private func names(_ path: String) throws -> UInt64 {
        try FileStatus(path: work.directory(path)).linkCount
    }

    @Test func `are kept, and told`() throws {
        let there = try work("volume", "encrypt", "plain", "storage")
        #expect(there.status == 0, "\(there.errorText)")
        #expect(
            there.text
                == "3 files (64.2 MiB), 1 link, 1 folder, 2 hard links; 0 unchanged\n"
        )
        let back = try work.object(work("volume", "decrypt", "storage", "again", "--json"))
        #expect(back["hard_links"] as? Int == 2)
        #expect(back["links_lost"] as? Int == 0 && back["holes_lost"] as? Int == 0)
        #expect(try work.isSame("plain", "again"))
        #expect(try names("again/two") == 3 && room("again/sparse") < 1 << 20)
        let stored = try Subprocess.run("du", ["-sk", work.directory("storage")])
        #expect(try #require(stored.text.split(separator: "\t").first.flatMap { Int($0) }) < 2048)
    }

    @Test func `are told where rclone's format has none`() throws {
        let output = try work.fillRcloneVolume()
        let object = try work.object(output)
        #expect(output.status == 0 && object["files"] as? Int == 5)
        #expect(object["links_lost"] as? Int == 2 && object["holes_lost"] as? Int == 1)
        #expect(
            output.errorText.contains("2 names of files with several became files of their own")
        )
        #expect(output.errorText.contains("1 file had holes, which the target cannot keep"))
        let back = try work("volume", "decrypt", "old", "again", "--config", "encrypt.conf")
        #expect(back.status == 0)
        #expect(try work.isSame("plain", "again"))
    }

    @Test(.requires(.fuse)) func `are told where the file system has no hard links`() throws {
        try work("volume", "encrypt", "plain", "storage")
        try work.rcloneVolume()
        try FileManager.default.createDirectory(
            atPath: work.directory("mount"),
            withIntermediateDirectories: false
        )
        let mount = try work.start(
            "volume",
            "mount",
            "old",
            "mount",
            "--config",
            "encrypt.conf"
        )
        defer {
            mount.signal(SIGTERM)
            _ = try? mount.wait()
        }
        let device = try FileStatus(path: work.directory.path).identity.device
        let isMounted = waitUntil(timeout: 20) {
            let status = try? FileStatus(path: work.directory("mount"))
            return status.map { $0.identity.device != device } ?? false
        }
        try #require(isMounted, "\(mount.errorText)")
        let output = try work("volume", "decrypt", "storage", "mount/folder", "--json")
        #expect(output.status == 0, "\(output.errorText)")
        let object = try work.object(output)
        #expect(object["files"] as? Int == 5 && object["hard_links"] as? Int == 0)
        #expect(object["links_lost"] as? Int == 2)
        #expect(try work.isSame("plain", "mount/folder"))
    }

    @Test(.requires(.tool("gocryptfs"), .fuse)) func `are the same to gocryptfs, both ways`() throws
    {
        try work.makeVolume("storage")
        try work.fill("storage")
        try work.mounted("storage") { mount in
            let isSame = try work.isSame("plain", mount)
            #expect(isSame)
            let count = try names("\(mount)/two")
            #expect(count == 3)
            try makeSparse("\(mount)/theirs")
            try FileManager.default.linkItem(
                atPath: work.directory("\(mount)/theirs"),
                toPath: work.directory("\(mount)/folder/theirs too")
            )
        }
        let moved = try work.object(
            work("volume", "migrate", "storage", "new", "--format", "gocryptfs", "--json")
        )
        #expect(moved["hard_links"] as? Int == 3)
        let stored = try Subprocess.run("du", ["-sk", work.directory("new")])
        #expect(try #require(stored.text.split(separator: "\t").first.flatMap { Int($0) }) < 2048)
        #expect(try work("volume", "check", "new").status == 0)
        try work.gocryptfs("-fsck", "new")
        #expect(try work("volume", "decrypt", "new", "again").status == 0)
        #expect(try names("again/theirs") == 2 && room("again/theirs") < 1 << 20)
        try makeSparse("plain/theirs")
        try FileManager.default.linkItem(
            atPath: work.directory("plain/theirs"),
            toPath: work.directory("plain/folder/theirs too")
        )
        #expect(try work.isSame("plain", "again"))
    }
}
