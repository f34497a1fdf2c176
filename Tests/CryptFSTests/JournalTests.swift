import CryptFS
import Foundation
import Glibc
import TestSupport
import Testing

/// What is written over is on the disk beside the volume first; see ``PowerLossTests`` for what that is good for.
@Suite(.requires(.fuse))
struct JournalTests {
    private static let options = ["--create", "--journal"]

    @Test func `a block of which one page was written is completed after a loss of power`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 15_000, at: 0)
        try volume.write("b" * 8000, at: 4000)
        let old = try volume.stored()
        try volume.write("c" * 8000, at: 4000)
        let new = try volume.stored()
        try volume.kill()
        try volume.put(new[..<8192] + old[8192...])
        try volume.pretendRestart()
        // Any writer completes it, with a journal or without, before anything is served.
        try volume.mount()
        #expect(try volume.read() == "a" * 4000 + "c" * 4192 + "b" * 3808 + "a" * 3000)
        #expect(
            try volume.unmount().contains("A write that was cut short was completed blocks=1")
        )
        #expect(!FileManager.default.fileExists(atPath: volume.lockFile.path))
    }

    @Test func `what was cut short is found, however deep directories are`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 9000, at: 0)
        let old = try volume.stored()
        try volume.write("b" * 4096, at: 0)
        let new = try volume.stored()
        try volume.kill()
        try volume.put(new[..<4096] + old[4096...])
        try volume.pretendRestart()
        // No name of the volume's: only the search meets it.
        let tower = try DirectoryTower(in: volume.storage, levels: 25_000)
        try volume.mount()
        #expect(try volume.read() == "b" * 4096 + "a" * 4904)
        let log = try volume.unmount()
        #expect(!log.contains("Not every file could be looked at"), "\(log)")
        #expect(!FileManager.default.fileExists(atPath: volume.lockFile.path))
        try tower.remove()
    }

    @Test func `a file that was emptied and made longer is not lost with its first page`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 9000, at: 0)
        // Nothing else is noted of it.
        try volume.unmount()
        try volume.mount(Self.options)
        #expect(truncate(volume("file"), 0) == 0)
        #expect(truncate(volume("file"), 16_384) == 0)
        let new = try volume.stored()
        try volume.kill()
        try volume.put(Data(count: new.count))
        try volume.pretendRestart()
        try volume.mount()
        #expect(try volume.read() == "\0" * 16_384)
        try volume.write("b" * 10, at: 0)
        #expect(try volume.read().hasPrefix("b" * 10))
        try volume.unmount()
    }

    @Test func `where a directory cannot be opened, what was not found is kept`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        // A mount whose server will be gone.
        let closed = try MountedVolume(in: TemporaryDirectory(in: volume.storage))
        for name in ["file", "elsewhere"] {
            try volume.write("a" * 9000, named: name)
            try volume.writeOver(name)
        }
        try FileManager.default.removeItem(atPath: volume("elsewhere"))
        try volume.kill()
        try volume.pretendRestart()
        closed.worker?.signal(SIGKILL)
        try closed.worker?.wait()
        try volume.mount()
        #expect(try volume.unmount().contains("Not every file could be looked at"))
        #expect(FileManager.default.fileExists(atPath: volume.lockFile.path))
        try closed.kill()
        try volume.mount()
        #expect(try !volume.unmount().contains("Not every file could be looked at"))
        #expect(!FileManager.default.fileExists(atPath: volume.lockFile.path))
    }

    @Test func `what no longer fits makes room once the files are on the disk`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        for index in 0..<40 { try volume.write("a" * 10_000, named: "\(index)") }
        var seed = SeededGenerator(seed: 3)
        var content = [[UInt8]](repeating: Array(("a" * 10_000).utf8), count: 40)
        for round in 0..<2000 {
            let index = Int.random(in: 0..<40, using: &seed)
            let place = Int.random(in: 0..<9000, using: &seed)
            let bytes = Array("\(round)".utf8)
            content[index].replaceSubrange(place..<place + bytes.count, with: bytes)
            let file = open(volume("\(index)"), O_WRONLY | O_CLOEXEC)
            defer { close(file) }
            try #require(pwrite(file, bytes, bytes.count, off_t(place)) == bytes.count)
            if round.isMultiple(of: 10) { try #require(fdatasync(file) == 0) }
        }
        // At most two million bytes for each of the threads.
        let size = try FileManager.default.attributesOfItem(atPath: volume.lockFile.path)[.size]
        #expect(try #require(size as? Int) <= 4096 + 16 * (2 << 20))
        try volume.kill()
        try volume.pretendRestart()
        try volume.mount(Self.options)
        for index in 0..<40 {
            let found = try Data(contentsOf: URL(fileURLWithPath: volume("\(index)")))
            #expect(Array(found) == content[index])
        }
        try volume.unmount()
        #expect(!FileManager.default.fileExists(atPath: volume.lockFile.path))
    }

    @Test func `on a full disk what is there can be written over`() throws {
        let disk = try SmallDisk(megabytes: 24)
        let volume = try MountedVolume(
            storage: disk("storage"),
            format: .gocryptfs,
            options: Self.options
        )
        try volume.write("a" * 40_000, at: 0)
        let rest = open(volume("rest"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        let block = [UInt8](repeating: 1, count: 1 << 20)
        while Glibc.write(rest, block, block.count) > 0, fsync(rest) == 0 {}
        for round in 0..<300 { try volume.write("\(round % 10)", at: round * 100) }
        #expect(close(rest) == 0)
        try volume.kill()
        try volume.pretendRestart()
        try volume.mount(Self.options)
        let text = try volume.read()
        #expect(text.count == 40_000 && text.hasPrefix("0" + "a" * 99 + "1"))
        try volume.unmount()
    }

    /// As a disk may have it, whose file is longer before its pages are there.
    @Test(arguments: [100, 4080])
    func `a last block that is there, and zeros behind it, is not lost`(count: Int) throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try volume.write("a" * count, at: 0)
        try volume.unmount()
        try volume.mount(Self.options)
        let old = try volume.stored()
        try volume.write("b" * 300, at: count)
        let new = try volume.stored()
        try volume.kill()
        try volume.put(old + Data(count: new.count - old.count))
        try volume.pretendRestart()
        try volume.mount()
        #expect(try volume.read() == "a" * count + "b" * 300)
        try volume.unmount()
    }

    @Test func `a first page that is not there is completed with the others`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 9000, at: 0)
        #expect(truncate(volume("file"), 0) == 0)
        try volume.write("b" * 9000, at: 0)
        let new = try volume.stored()
        try volume.kill()
        try volume.put(Data(count: 4096) + new[4096...])
        try volume.pretendRestart()
        try volume.mount()
        #expect(try volume.read() == "b" * 9000)
        try volume.unmount()
    }

    /// Where two blocks meet a sector is gone: the first one's note has the second as it was before.
    @Test func `what was damaged otherwise is not replaced by something older`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 15_000, at: 0)
        try volume.write("b" * 8192, at: 0)
        let first = try Data(contentsOf: volume.lockFile)
        try volume.write("c" * 4096, at: 4096)
        var rotten = try volume.stored()
        try volume.kill()
        // As if the thread that noted the last write had used its part again.
        try first.write(to: volume.lockFile)
        for index in 4096..<4608 { rotten[index] = 0xff }
        try volume.put(rotten)
        try volume.pretendRestart()
        try volume.mount()
        let file = open(volume("file"), O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var block = [UInt8](repeating: 0, count: 4096)
        #expect(pread(file, &block, 4096, 0) == 4096 && block.allSatisfy { $0 == 0x62 })
        #expect(pread(file, &block, 4096, 4096) == -1)
        #expect(errno == EIO)
    }

    @Test func `a writer without one says so once it has completed what there was`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 9000, at: 0)
        try volume.kill()
        for (options, keeps) in [(Self.options, true), (["--create"], false)] {
            try volume.mount(options)
            let text = try Data(contentsOf: volume.lockFile).prefix(256)
            #expect(String(decoding: text, as: UTF8.self).contains("journal") == keeps)
            try volume.kill()
        }
    }

    @Test func `notes of a file that is gone are forgotten`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 9000, at: 0)
        try volume.write("b" * 10, at: 5000)
        try FileManager.default.removeItem(atPath: volume("file"))
        try volume.kill()
        try volume.pretendRestart()
        try volume.mount()
        #expect(try volume.unmount().isEmpty)
        #expect(!FileManager.default.fileExists(atPath: volume.lockFile.path))
    }

    @Test func `a removed file's room is free at once`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        try volume.write("a" * 9000, at: 0)
        try volume.write("b" * 10, at: 5000)
        try FileManager.default.removeItem(atPath: volume("file"))
        #expect(try volume.letsGoOfRemoved())
        try volume.unmount()
    }

    @Test func `an rclone volume needs none, and one that is shared has none`() throws {
        let rclone = try MountedVolume(format: .rclone, options: Self.options)
        try rclone.write("a" * 9000, at: 0)
        let size = try FileManager.default.attributesOfItem(atPath: rclone.lockFile.path)[.size]
        #expect(size as? Int == 256)
        try rclone.unmount()
        let shared = try MountedVolume(
            format: .gocryptfs,
            options: Self.options + ["--shared"]
        )
        try shared.write("a" * 9000, at: 0)
        let text = try Data(contentsOf: shared.lockFile).prefix(256)
        #expect(!String(decoding: text, as: UTF8.self).contains("journal"))
        try shared.unmount()
    }
}
