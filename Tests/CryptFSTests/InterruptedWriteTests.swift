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
        #expect(try volume.read() == Self.mixed)
        let warnings = try volume.unmount()
        #expect(warnings.contains("A write that was cut short was completed blocks=1"))
        // It was written, not only shown.
        try volume.mount()
        #expect(try volume.read() == Self.mixed)
        #expect(try !volume.unmount().contains("cut short"))
    }

    @Test func `what is whole stays as it is`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        let (old, _) = try writeTwice(volume)
        try volume.kill()
        // As if nothing of the last write had been begun.
        try volume.put(old)
        try volume.mount()
        #expect(try volume.read() == "a" * 4000 + "b" * 8000 + "a" * 3000)
        #expect(try !volume.unmount().contains("cut short"))
    }

    @Test(arguments: [firstPages - 100, firstPages + 10])
    func `a block that was damaged otherwise is not replaced by an older one`(
        place: Int
    ) throws {
        for isNoted in [false, true] {
            let volume = try MountedVolume(format: .gocryptfs)
            // Too long to be noted.
            try volume.write("a" * 200_000, at: 0)
            let first = try volume.stored()
            try volume.write("c" * 8000, at: 4000)
            // As if what is noted had been written over since; and the control.
            var rotten = try isNoted ? volume.stored() : first
            try volume.kill()
            rotten[place] ^= 1
            try volume.put(rotten)
            try volume.mount()
            if isNoted {
                #expect(try volume.read() == "a" * 4000 + "c" * 8000 + "a" * 188_000)
            } else {
                #expect(throws: (any Error).self) { _ = try volume.read() }
            }
            #expect(try volume.unmount().contains("cut short") == isNoted)
        }
    }

    @Test func `a last block of which the new end was written is completed`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try volume.write("a" * 4000, at: 0)
        let old = try volume.stored()
        try #require(old.count < 4096)
        try volume.write("b" * 90, at: 4000)
        let new = try volume.stored()
        try volume.kill()
        // What needs room is written first.
        try volume.put(old + Data(count: 4096 - old.count) + new[4096...])
        try volume.mount()
        #expect(try volume.read() == "a" * 4000 + "b" * 90)
        try volume.unmount()
    }

    @Test func `blocks before what needed room are completed`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try volume.write("a" * 8150, at: 0)
        let old = try volume.stored()
        try #require(old.count > Self.firstPages)
        try volume.write("b" * 5850, at: 8150)
        let new = try volume.stored()
        try volume.kill()
        // The old last block is whole, and longer by a gap, in which the next one's beginning is missing.
        let room = Self.firstPages + 4096
        try volume.put(old + Data(count: room - old.count) + new[room...])
        try volume.mount()
        #expect(try volume.read() == "a" * 8150 + "b" * 5850)
        try volume.unmount()
    }

    @Test func `a long append that was cut short ends where it was cut`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try volume.write("a" * 4096, at: 0)
        try volume.write("b" * 300_000, at: 4096)
        let new = try volume.stored()
        try volume.kill()
        // In the middle of a block, which could not be read, nor anything be appended to it.
        try volume.put(new[..<(20 * 4096)])
        try volume.mount()
        #expect(try volume.read() == "a" * 4096 + "b" * (18 * 4096))
        try volume.write("c" * 10, at: 19 * 4096)
        #expect(try volume.read() == "a" * 4096 + "b" * (18 * 4096) + "c" * 10)
        try volume.unmount()
    }

    @Test func `what nobody asked for is completed in a later session`() throws {
        let volume = try tornVolume()
        let lock = volume.lockFile.path
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
        #expect(try volume.read() == Self.mixed)
        try volume.unmount()
        #expect(!FileManager.default.fileExists(atPath: lock))
    }

    @Test func `a file that was being cut off is cut off`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try volume.write("a" * 15_000, at: 0)
        let old = try volume.stored()
        #expect(truncate(volume("file"), 5000) == 0)
        let new = try volume.stored()
        try volume.kill()
        try volume.put(new + old[new.count...])
        try volume.mount()
        let size = try FileManager.default.attributesOfItem(atPath: volume("file"))[.size] as? Int
        #expect(size == 5000)
        #expect(try volume.read() == "a" * 5000)
        try volume.unmount()
    }

    @Test func `what was noted before the machine was started last counts for nothing`() throws {
        let volume = try tornVolume()
        try volume.pretendRestart()
        try volume.mount()
        #expect(throws: (any Error).self) { try volume.read() }
        try volume.unmount()
    }

    @Test func `what is noted and is not the volume's is passed over`() throws {
        let volume = try tornVolume()
        let lock = volume.lockFile
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
        #expect(throws: (any Error).self) { try volume.read() }
        try volume.unmount()
    }

    @Test func `a note that all is zeros makes none of what is damaged`() throws {
        let volume = try tornVolume()
        var notes = try Data(contentsOf: volume.lockFile)
        for slot in stride(from: 4096, to: notes.count, by: 128 << 10)
        where notes[slot..<slot + 8].elementsEqual("SSWRITE1".utf8) {
            // From the first block on, without an end, and nothing but zeros.
            let fields: [UInt64] = [18, UInt64(Int64.max) - 18, 0, 1]
            let bytes = fields.flatMap { field in
                withUnsafeBytes(of: field.littleEndian) { Array($0) }
            }
            notes.replaceSubrange(slot + 32..<slot + 64, with: bytes)
        }
        try notes.write(to: volume.lockFile)
        try volume.mount()
        #expect(throws: (any Error).self) { try volume.read() }
        let size = try FileManager.default.attributesOfItem(atPath: volume("file"))[.size] as? Int
        #expect(size == 15_000)
        #expect(try !volume.unmount().contains("cut short"))
    }

    @Test(.requires(.tool("python3")), arguments: [[], ["--journal"]])
    func `no kill leaves a block that cannot be read`(options: [String]) throws {
        let options = ["--create"] + options
        let volume = try MountedVolume(format: .gocryptfs, options: options)
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
            try volume.mount(options)
            for name in ["within", "behind"] {
                let content = try Data(contentsOf: URL(fileURLWithPath: volume(name)))
                #expect(content.count >= 256 << 10)
                try FileManager.default.removeItem(atPath: volume(name))
            }
        }
        try volume.unmount()
    }

    /// A volume whose worker was killed when of three blocks only the first pages were written.
    private func tornVolume() throws -> MountedVolume {
        let volume = try MountedVolume(format: .gocryptfs)
        let (old, new) = try writeTwice(volume)
        try volume.kill()
        try volume.put(new[..<Self.firstPages] + old[Self.firstPages...])
        return volume
    }

    /// A file, then a part of it over two blocks written over twice.
    ///
    /// - Returns: What was stored before the last time and after it.
    private func writeTwice(_ volume: MountedVolume) throws -> (old: Data, new: Data) {
        try volume.write("a" * 15_000, at: 0)
        try volume.write("b" * 8000, at: 4000)
        let old = try volume.stored()
        try volume.write("c" * 8000, at: 4000)
        return (old, try volume.stored())
    }
}
