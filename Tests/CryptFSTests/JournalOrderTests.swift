import Foundation
import Glibc
import Linux
import TestSupport
import Testing
import VolumeFormat

/// In which order what a journal notes, and what it notes it of, reach the disk.
@Suite(.requires(.fuse))
struct JournalOrderTests {
    private static let options = ["--create", "--journal"]

    @Test func `what is noted is on the disk before it is written over`() throws {
        let storage = try RecordedStorage()
        let volume = try MountedVolume(
            storage: storage.path,
            format: .gocryptfs,
            options: Self.options
        )
        let start = storage.position
        try volume.write("a" * 9000, at: 0, isSynchronized: false)
        let written = storage.position
        try volume.write("b" * 10, at: 5000)
        try volume.write("c" * 10, at: 5000)
        try volume.write("d" * 5000, at: 9000)
        try volume.unmount()
        let operations = try storage.operations()
        // What was never synchronised is noted against a kill alone.
        #expect(text(operations, start..<written) == "nw")
        let changes = text(operations, written..<Int.max)
        #expect(changes.matches(of: /nsw/).count == 3, "\(changes)")
        // What needs room is written first.
        #expect(!changes.replacing(/nsww?/, with: "").contains("w"), "\(changes)")
        // Before the notes go, the file is on the disk.
        #expect(changes.hasSuffix("SS"), "\(changes)")
    }

    @Test func `a long range is cleared in parts, so that little has to be read after a crash`()
        throws
    {
        let storage = try RecordedStorage()
        let volume = try MountedVolume(
            storage: storage.path,
            format: .gocryptfs,
            options: Self.options
        )
        let size = 200 << 20
        try volume.write("a", at: size - 1)
        let file = open(volume("file"), O_WRONLY | O_CLOEXEC)
        let start = storage.position
        try FileCall.allocate(file, at: 0, count: UInt64(size), [.punchHole, .keepSize])
        let end = storage.position
        #expect(close(file) == 0)
        try volume.unmount()
        let operations = try storage.operations()
        #expect(text(operations, start..<end) == "nsSfnsSfnsSfns")
        let punched = operations.compactMap { operation -> Int? in
            guard case .punch(_, _, let count) = operation.kind else { return nil }
            return count
        }
        #expect(punched.count == 4 && punched.allSatisfy { $0 <= 64 << 20 }, "\(punched)")
        #expect(punched.reduce(0, +) == size / 4096 * 4128)
    }

    @Test func `clearing what is empty already takes no notes`() throws {
        let volume = try MountedVolume(format: .gocryptfs, options: Self.options)
        let size = 100 << 30
        try volume.write("a", at: size / 2)
        try volume.write("a", at: size - 1)
        let file = open(volume("file"), O_WRONLY | O_CLOEXEC)
        try FileCall.allocate(file, at: 0, count: UInt64(size), [.punchHole, .keepSize])
        let numbers = try notes(of: volume).map(\.number)
        #expect(try #require(numbers.max()) < 20, "\(numbers)")
        #expect(close(file) == 0)
        try volume.unmount()
    }

    @Test func `what a kill left whole is on the disk before its notes go`() throws {
        let storage = try RecordedStorage()
        let volume = try MountedVolume(
            storage: storage.path,
            format: .gocryptfs,
            options: Self.options
        )
        try volume.write("a" * 9000, at: 0)
        try volume.write("b" * 10, at: 5000, isSynchronized: false)
        try volume.kill()
        for options in [Self.options, ["--create"]] {
            let start = storage.position
            try volume.mount(options)
            let mounting = text(try storage.operations(), start..<storage.position)
            #expect(mounting.contains("S"), "\(mounting)")
            try volume.write("c" * 10, at: 5000, isSynchronized: false)
            try volume.kill()
        }
    }

    @Test func `a removed file is off the disk before its notes go`() throws {
        let disk = try Ext4Disk(megabytes: 64)
        let volume = try MountedVolume(
            storage: disk("storage"),
            format: .gocryptfs,
            options: Self.options
        )
        let names = (0..<200).map { "\($0)" }
        for name in names + ["removed"] { try volume.write("a" * 9000, named: name) }
        // What the notes lie in has been written, so that noting no longer changes where that is.
        for name in names { try volume.writeOver(name) }
        try volume.writeOver("removed")
        var status = stat()
        #expect(stat(volume("removed"), &status) == 0)
        try FileManager.default.removeItem(atPath: volume("removed"))
        // What is still open would be synchronised instead, and come back whole.
        try #require(try volume.letsGoOfRemoved())
        // Until the thread that noted it begins its part anew.
        var rounds = 0
        while try notes(of: volume).contains(where: { $0.inode == UInt64(status.st_ino) }) {
            rounds += 1
            try #require(rounds < 100)
            for name in names { try volume.writeOver(name) }
        }
        try disk.shutDown()
        try volume.unmount()
        try disk.mountAgain()
        try volume.mount()
        #expect(!FileManager.default.fileExists(atPath: volume("removed")))
        for name in names {
            let found = try Data(contentsOf: URL(fileURLWithPath: volume(name)))
            #expect([UInt8(0x61), 0x62].contains(found[5000]))
        }
        try volume.unmount()
    }

    /// Writes, a file's and a note's, notes that are forgotten, and what is synchronised, a file and the notes: `w`, `n`, `f`, `S`, `s`.
    private func text(_ operations: [StorageOperation], _ positions: Range<Int>) -> String {
        let journal = operations.lazy.compactMap { operation -> UInt64? in
            guard case .write(let number, _, let bytes) = operation.kind else { return nil }
            return bytes.starts(with: "SSWRITE1".utf8) ? number : nil
        }.first
        return operations.filter { $0.position > positions.lowerBound }
            .filter { $0.position <= positions.upperBound }
            .compactMap { operation -> String? in
                switch operation.kind {
                case .write(let number, _, let bytes):
                    number != journal ? "w" : bytes.count == 8 ? "f" : "n"
                case .synchronize(let number): number == journal ? "s" : "S"
                default: nil
                }
            }.joined()
    }

    private func notes(of volume: MountedVolume) throws -> [WriteNote] {
        let lock = try Data(contentsOf: volume.lockFile)
        return stride(from: 4096, to: lock.count, by: 4096).compactMap { place in
            let header = Data(lock[place..<place + WriteNote.headerCount])
            return header.withUnsafeBytes { WriteNote(parsing: $0, longest: 2 << 20) }
        }
    }
}
