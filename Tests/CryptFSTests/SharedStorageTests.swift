import Foundation
import TestSupport
import Testing

/// `--shared-storage`: somebody else changes the storage underneath a mount for writing.
@Suite(.requires(.fuse, .tool("gocryptfs"))) struct `A shared storage` {
    /// Debian's gocryptfs beside ours, on the same storage, at the same time.
    @Test func `shows what gocryptfs changes within a second, and the reverse`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: ["--create", "--shared"])
        let other = try Gocryptfs(volume)
        defer { other.unmount() }
        try write("ours", to: volume("file"))
        #expect(try read(other.path + "/file") == "ours")
        for turn in 1...3 {
            // Emptied and written anew: another header, another length.
            let text = String(repeating: "theirs \(turn) ", count: turn * 1000)
            try write(text, to: other.path + "/file")
            try write("x", to: other.path + "/new \(turn)")
            usleep(1_100_000)
            #expect(try read(volume("file")) == text)
            #expect(FileManager.default.fileExists(atPath: volume("new \(turn)")))
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: volume("file")))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("and ours".utf8))
            try handle.close()
            #expect(try read(other.path + "/file") == text + "and ours")
        }
        try volume.unmount()
    }

    /// The control: with the storage to itself the mount need not look, and does not.
    @Test func `is not what a mount has otherwise`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let other = try Gocryptfs(volume)
        defer { other.unmount() }
        try write("ours", to: volume("file"))
        try write("theirs, longer", to: other.path + "/file")
        usleep(1_100_000)
        #expect((try? read(volume("file"))) != "theirs, longer")
        try volume.unmount()
    }

    @Test func `of rclone's format shows what is put in its place`() throws {
        let volume = try MountedVolume(format: .rclone, options: ["--create", "--shared"])
        try write("first", to: volume("one"))
        try write("second, longer", to: volume("two"))
        #expect(try read(volume("one")) == "first")
        let stored = try FileManager.default.contentsOfDirectory(atPath: volume.storage)
            .filter { !$0.hasPrefix("gocryptfs.") }
            .sorted { size(volume.storage + "/" + $0) < size(volume.storage + "/" + $1) }
        // The longer one's content under the shorter one's name.
        try #require(stored.count == 2)
        #expect(rename(volume.storage + "/" + stored[1], volume.storage + "/" + stored[0]) == 0)
        usleep(1_100_000)
        #expect(try read(volume("one")) == "second, longer")
        #expect(!FileManager.default.fileExists(atPath: volume("two")))
        try write("third", to: volume("one"))
        try volume.remount()
        #expect(try read(volume("one")) == "third")
        try volume.unmount()
    }

    /// Mounted by Debian's gocryptfs.
    private struct Gocryptfs {
        let path: String

        init(_ volume: MountedVolume) throws {
            path = volume.directory("gocryptfs")
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false
            )
            let output = try Subprocess.run(
                "gocryptfs",
                [
                    "-q", "-sharedstorage", "-extpass", "echo", "-extpass", volume.key,
                    volume.storage, path,
                ],
                timeout: 60
            )
            guard output.status == 0 else { throw MountedVolume.Failure(output.errorText) }
        }

        func unmount() {
            umount2(path, Int32(MNT_DETACH))
        }
    }

    private func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw MountedVolume.Failure("open: \(errno)") }
        defer { close(descriptor) }
        guard Foundation.write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw MountedVolume.Failure("write: \(errno)")
        }
    }

    private func read(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    private func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : -1
    }
}
