import CryptFS
import Foundation
import Glibc
import TestSupport
import Testing

/// A worker that is killed while it writes over blocks.
@Suite(.requires(.fuse))
struct InterruptedWriteTests {
    /// Two blocks of the new content, as a disk would have it.
    private static let mixed = "a" * 4000 + "c" * 4192 + "b" * 3808 + "a" * 3000
    /// In the middle of the second block: the end of what of three blocks was written.
    static let firstPages = 8192

    @Test func `a block of which one page was written is completed`() throws {
        let volume = try tornVolume()
        try volume.mount()
        #expect(try read(volume) == Self.mixed)
        let warnings = try volume.unmount()
        #expect(warnings.contains("A write that a kill had cut short was completed blocks=1"))
        // It was written, not only shown.
        try volume.mount()
        #expect(try read(volume) == Self.mixed)
        #expect(try !volume.unmount().contains("cut short"))
    }

    @Test func `what is whole stays as it is`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let (old, _) = try writeTwice(volume)
        try volume.kill()
        // As if nothing of the last write had been begun.
        try put(old, volume)
        try volume.mount()
        #expect(try read(volume) == "a" * 4000 + "b" * 8000 + "a" * 3000)
        #expect(try !volume.unmount().contains("cut short"))
    }

    @Test(arguments: [firstPages - 100, firstPages + 10])
    func `a block that was damaged otherwise is not replaced by an older one`(
        place: Int
    ) throws {
        for isNoted in [false, true] {
            let volume = try MountedVolume(format: .gocryptfs)
            // Too long to be noted.
            try write("a" * 200_000, at: 0, to: volume)
            let first = try stored(volume)
            try write("c" * 8000, at: 4000, to: volume)
            // As if what is noted had been written over since; and the control.
            var rotten = try isNoted ? stored(volume) : first
            try volume.kill()
            rotten[place] ^= 1
            try put(rotten, volume)
            try volume.mount()
            if isNoted {
                #expect(try read(volume) == "a" * 4000 + "c" * 8000 + "a" * 188_000)
            } else {
                #expect(throws: (any Error).self) { _ = try read(volume) }
            }
            #expect(try volume.unmount().contains("cut short") == isNoted)
        }
    }

    @Test func `a last block of which the new end was written is completed`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try write("a" * 4000, at: 0, to: volume)
        let old = try stored(volume)
        try #require(old.count < 4096)
        try write("b" * 90, at: 4000, to: volume)
        let new = try stored(volume)
        try volume.kill()
        // What needs room is written first.
        try put(old + Data(count: 4096 - old.count) + new[4096...], volume)
        try volume.mount()
        #expect(try read(volume) == "a" * 4000 + "b" * 90)
        try volume.unmount()
    }

    @Test func `blocks before what needed room are completed`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try write("a" * 8150, at: 0, to: volume)
        let old = try stored(volume)
        try #require(old.count > Self.firstPages)
        try write("b" * 5850, at: 8150, to: volume)
        let new = try stored(volume)
        try volume.kill()
        // The old last block is whole, and longer by a gap, in which the next one's beginning is missing.
        let room = Self.firstPages + 4096
        try put(old + Data(count: room - old.count) + new[room...], volume)
        try volume.mount()
        #expect(try read(volume) == "a" * 8150 + "b" * 5850)
        try volume.unmount()
    }

    @Test func `what nobody asked for is completed in a later session`() throws {
        let volume = try tornVolume()
        let lock = lock(of: volume).path
        for options in [["--create"], ["--create", "--shared"]] {
            try volume.mount(options)
            try volume.unmount()
            // There for what is noted in it, and nobody's crash.
            #expect(FileManager.default.fileExists(atPath: lock))
            guard case .none = try WriterLock.holder(of: volume.storage) else {
                Issue.record("a clean end looks like a crash")
                return
            }
        }
        try volume.mount()
        #expect(try read(volume) == Self.mixed)
        try volume.unmount()
        #expect(!FileManager.default.fileExists(atPath: lock))
    }

    @Test func `a file that was being cut off is cut off`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try write("a" * 15_000, at: 0, to: volume)
        let old = try stored(volume)
        #expect(truncate(volume("file"), 5000) == 0)
        let new = try stored(volume)
        try volume.kill()
        try put(new + old[new.count...], volume)
        try volume.mount()
        let size = try FileManager.default.attributesOfItem(atPath: volume("file"))[.size] as? Int
        #expect(size == 5000)
        #expect(try read(volume) == "a" * 5000)
        try volume.unmount()
    }

    @Test func `what was noted before the machine was started last counts for nothing`() throws {
        let volume = try tornVolume()
        let lock = lock(of: volume)
        var record = try Data(contentsOf: lock)
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let range = try #require(record.range(of: Data(boot.utf8.dropLast())))
        record[range.lowerBound] = record[range.lowerBound] == 0x30 ? 0x31 : 0x30
        try record.write(to: lock)
        try volume.mount()
        #expect(throws: (any Error).self) { try read(volume) }
        try volume.unmount()
    }

    @Test func `what is noted and is not the volume's is passed over`() throws {
        let volume = try tornVolume()
        let lock = lock(of: volume)
        var notes = try Data(contentsOf: lock)
        var generator = SystemRandomNumberGenerator()
        for slot in stride(from: 4096, to: notes.count, by: 128 << 10) {
            // Lengths and places out of all bounds, then contents.
            for index in slot + 32..<min(slot + 48, notes.count) {
                notes[index] = UInt8.random(in: 0...255, using: &generator)
            }
        }
        try notes.write(to: lock)
        try volume.mount()
        #expect(throws: (any Error).self) { try read(volume) }
        try volume.unmount()
    }

    @Test(.requires(.tool("python3"))) func `no kill leaves a block that cannot be read`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        for _ in 0..<Client.number("SECURE_STORE_TEST_KILLS", default: 8, long: 200) {
            let writers = try ["within", "behind"].map {
                try Client.start("overwrite.py", [volume($0), $0])
            }
            let deadline = Date(timeIntervalSinceNow: 30)
            while writers.contains(where: { !$0.text.contains("writing") }), Date() < deadline {
                usleep(2000)
            }
            usleep(UInt32.random(in: 0..<20_000))
            try volume.kill()
            for writer in writers { try writer.wait() }
            try volume.mount()
            for name in ["within", "behind"] {
                let content = try Data(contentsOf: URL(fileURLWithPath: volume(name)))
                #expect(content.count >= 256 << 10)
                try FileManager.default.removeItem(atPath: volume(name))
            }
        }
        try volume.unmount()
    }

    private func lock(of volume: MountedVolume) -> URL {
        URL(fileURLWithPath: volume.storage + "/gocryptfs.longname.secure-store-writer.name")
    }

    /// A volume whose worker was killed when of three blocks only the first pages were written.
    private func tornVolume() throws -> MountedVolume {
        let volume = try MountedVolume(format: .gocryptfs)
        let (old, new) = try writeTwice(volume)
        try volume.kill()
        try put(new[..<Self.firstPages] + old[Self.firstPages...], volume)
        return volume
    }

    /// A file, then a part of it over two blocks written over twice.
    ///
    /// - Returns: What was stored before the last time and after it.
    private func writeTwice(_ volume: MountedVolume) throws -> (old: Data, new: Data) {
        try write("a" * 15_000, at: 0, to: volume)
        try write("b" * 8000, at: 4000, to: volume)
        let old = try stored(volume)
        try write("c" * 8000, at: 4000, to: volume)
        return (old, try stored(volume))
    }

    private func write(_ text: String, at offset: Int, to volume: MountedVolume) throws {
        let file = open(volume("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(pwrite(file, text, text.utf8.count, off_t(offset)) == text.utf8.count)
        try #require(fsync(file) == 0)
    }

    private func read(_ volume: MountedVolume) throws -> String {
        try String(contentsOfFile: volume("file"), encoding: .utf8)
    }

    private func place(_ volume: MountedVolume) throws -> URL {
        let names = try FileManager.default.contentsOfDirectory(atPath: volume.storage)
        let name = try #require(names.first { !$0.hasPrefix("gocryptfs.") })
        return URL(fileURLWithPath: volume.storage + "/" + name)
    }

    private func stored(_ volume: MountedVolume) throws -> Data {
        try Data(contentsOf: place(volume))
    }

    /// In place, as a write is: the file stays the same.
    private func put(_ content: Data, _ volume: MountedVolume) throws {
        let file = try FileHandle(forWritingTo: place(volume))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: content)
        try file.close()
    }
}

/// A text several times.
private func * (text: String, count: Int) -> String {
    String(repeating: text, count: count)
}
