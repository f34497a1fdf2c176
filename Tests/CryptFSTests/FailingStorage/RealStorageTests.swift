import Foundation
import TestSupport
import Testing

/// Conditions that real file systems below bring about: no room, no changes, no more of anything; and files
/// that somebody takes away or exchanges.
@Suite(.requires(.fuse))
struct RealStorageTests {
    private let content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 / 3) })

    @Test func `a full disk is told, and what was synchronised before is there`() throws {
        let disk = try SmallDisk(megabytes: 4)
        let volume = try MountedVolume(storage: disk("storage"), format: .gocryptfs)
        try write(content, to: volume("file"))
        let file = open(volume("large"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        let block = [UInt8](repeating: 5, count: 64 << 10)
        var stored = 0
        var code: Int32 = 0
        while stored < 200, code == 0 {
            let offset = off_t(stored * block.count)
            if pwrite(file, block, block.count, offset) == -1 || fsync(file) == -1 { code = errno }
            if code == 0 { stored += 1 }
        }
        #expect(code == ENOSPC && stored > 20)
        close(file)
        #expect(mkdir(volume("directory"), 0o755) == -1 || rmdir(volume("directory")) == 0)
        try volume.remount()
        #expect(try Data(contentsOf: URL(fileURLWithPath: volume("file"))) == content)
        let kept = try Data(contentsOf: URL(fileURLWithPath: volume("large")))
        #expect(kept.count >= stored * block.count && kept.allSatisfy { $0 == 5 })
        try disk.grow(megabytes: 16)
        try write(content + content, to: volume("later"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: volume("later"))) == content + content)
        try volume.unmount()
    }

    @Test(.requires(.tool("python3")))
    func `SQLite on a disk that fills up loses nothing, and goes on when there is room`() throws {
        let disk = try SmallDisk(megabytes: 2)
        let volume = try MountedVolume(storage: disk("storage"), format: .gocryptfs)
        // It ends with an error, once the disk is full.
        let client = try Client.start("sqlite.py", ["endless", volume("db"), "delete"]).wait()
        let last = client.text.split(separator: "\n").count - 1
        #expect(client.status != 0 && last > 50, "\(client.errorText)")
        try disk.grow(megabytes: 8)
        try Client.run("sqlite.py", ["verify", volume("db"), String(last)])
        try volume.remount()
        try Client.run("sqlite.py", ["verify", volume("db"), String(last)])
        try volume.unmount()
    }

    /// As a loss of power is to ext4, and every call an error until then.
    @Test(.requires(.tool("mkfs.ext4"), .tool("python3")))
    func `after ext4 has gone away under the mount, what was synchronised is there`() throws {
        let disk = try Ext4Disk(megabytes: 24)
        let volume = try MountedVolume(storage: disk("storage"), format: .gocryptfs)
        let long = String(repeating: "l", count: 200)
        #expect(mkdir(volume("directory"), 0o755) == 0)
        for name in ["file", "directory/file", "directory/\(long)"] {
            try write(content, to: volume(name))
        }
        #expect(mkdir(volume("new"), 0o755) == 0)
        #expect(rename(volume("file"), volume("new/file")) == 0)
        let file = open(volume("directory/file"), O_RDWR | O_CLOEXEC)
        #expect(pwrite(file, "lost", 4, 200_000) == 4)
        try disk.shutDown()
        #expect(fsync(file) == -1 && errno == EIO)
        close(file)
        #expect(mkdir(volume("another"), 0o755) == -1)
        #expect(try volume.isServed())
        try volume.unmount()

        try disk.mountAgain()
        try volume.mount()
        #expect(
            try [volume("file"), volume("new/file")].filter(FileManager.default.fileExists)
                .map { try Data(contentsOf: URL(fileURLWithPath: $0)) } == [content]
        )
        #expect(readAll(volume("directory/\(long)")) == content)
        // The kernel may have handed on by itself what was not synchronised: then its block is that, or an error.
        let changed = (content[..<200_000] + Data("lost".utf8)) + content[200_004...]
        #expect([content, changed, nil].contains(readAll(volume("directory/file"))))
        try write(content, to: volume("later"))
        try volume.unmount()
    }

    @Test func `files taken away, cut or exchanged underneath are errors, or authentic`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        var stored: [String: String] = [:]
        for name in ["removed", "cut", "exchanged", "grown", "directory", "pipe"] {
            let before = Set(try FileManager.default.contentsOfDirectory(atPath: volume.storage))
            try write(content, to: volume(name))
            let after = Set(try FileManager.default.contentsOfDirectory(atPath: volume.storage))
            let new = try #require(after.subtracting(before).first)
            stored[name] = volume.storage + "/" + new
        }
        let other = content + Data("other".utf8)
        try write(other, to: volume("other"))
        func path(_ name: String) throws -> String { try #require(stored[name]) }
        let otherStored = try FileManager.default.contentsOfDirectory(atPath: volume.storage)
            .map { volume.storage + "/" + $0 }
            .first { path in
                !stored.values.contains(path) && !path.contains("/gocryptfs.")
                    && !path.contains("/.")
            }
        // Open here and below, with its pages in the kernel's memory dropped.
        let open = Glibc.open(volume("removed"), O_RDWR | O_CLOEXEC)
        posix_fadvise(open, 0, 0, POSIX_FADV_DONTNEED)

        #expect(unlink(try path("removed")) == 0)
        #expect(truncate(try path("cut"), 100_000) == 0)
        try FileManager.default.removeItem(atPath: path("exchanged"))
        try FileManager.default.copyItem(
            atPath: #require(otherStored),
            toPath: path("exchanged")
        )
        let tail = try FileHandle(forWritingTo: URL(fileURLWithPath: path("grown")))
        try tail.seekToEnd()
        try tail.write(contentsOf: Data(count: 5000))
        try tail.close()
        for (name, make) in [("directory", mkdir), ("pipe", mkfifo)] {
            #expect(unlink(try path(name)) == 0)
            #expect(make(try path(name), 0o700) == 0)
        }

        for _ in 0..<2 {
            for name in stored.keys.sorted() {
                // The content, a part, or an error; of the exchanged one, the other's, which is authentic.
                let found = readAll(volume(name)) ?? Data()
                let isOther = name == "exchanged" && other.starts(with: found)
                #expect(content.starts(with: found) || isOther, "\(name)")
            }
            var status = stat()
            #expect(stat(volume("other"), &status) == 0)
            if open >= 0 { _ = content.withUnsafeBytes { pwrite(open, $0.baseAddress, 1, 0) } }
        }
        close(open)
        try volume.remount()
        #expect(readAll(volume("removed")) == nil)
        #expect(readAll(volume("cut")) == nil)
        #expect(readAll(volume("exchanged")) == other)
        try write(content, to: volume("later"))
        #expect(readAll(volume("other")) == other)
        try volume.unmount()
    }

    private func write(_ content: Data, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        try #require(file >= 0, "\(path): errno \(errno)")
        defer { close(file) }
        let count = content.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        #expect(count == content.count && fsync(file) == 0)
    }

    /// Nil where reading, or opening, is an error.
    private func readAll(_ path: String) -> Data? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content = Data()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { return content }
            content += buffer[..<count]
        }
    }
}

extension MountedVolume {
    /// Whether the worker answers.
    fileprivate func isServed() throws -> Bool {
        var status = statvfs()
        return worker?.status == nil && (statvfs(mountPoint, &status) == 0 || errno == EIO)
    }
}
