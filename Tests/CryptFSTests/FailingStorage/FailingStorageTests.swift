import Foundation
import TestSupport
import Testing

/// A storage that fails: an error to the program, never a wrong byte, never a hang, and when it is over,
/// the mount works as before.
@Suite(.requires(.fuse))
struct FailingStorageTests {
    private let storage: RecordedStorage
    private let volume: MountedVolume
    private let old = Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 13 / 5) })

    init() throws {
        storage = try RecordedStorage()
        volume = try MountedVolume(storage: storage.path, format: .gocryptfs)
        for name in ["file", "other"] {
            try old.write(to: URL(fileURLWithPath: volume(name)))
            try withFile(name) { #expect(fsync($0) == 0) }
        }
    }

    @Test(arguments: [ENOSPC, EIO, EDQUOT, EROFS])
    func `what cannot be written is told by fsync, close and msync`(code: Int32) throws {
        try storage.fail(code, "w")
        try withFile("file") { file in
            #expect(pwrite(file, "new", 3, 5000) == 3)
            #expect(fsync(file) == -1 && [code, EIO].contains(errno), "errno \(errno)")
        }
        let file = open(volume("file"), O_RDWR | O_CLOEXEC)
        #expect(pwrite(file, "new", 3, 9000) == 3)
        #expect(close(file) == -1)
        try withFile("file") { file in
            let memory = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
            memory?.storeBytes(of: 1, as: UInt8.self)
            #expect(msync(memory, 4096, MS_SYNC) == -1)
            munmap(memory, 4096)
        }
        // Of what was not touched nothing is lost.
        #expect(try Data(contentsOf: URL(fileURLWithPath: volume("other"))) == old)

        try storage.recover()
        var expected = old
        expected.replaceSubrange(12_000..<12_004, with: Data("last".utf8))
        try withFile("file") { file in
            for range in [5000..<5003, 9000..<9003, 0..<1] {
                let count = old[range].withUnsafeBytes {
                    pwrite(file, $0.baseAddress, $0.count, off_t(range.lowerBound))
                }
                #expect(count == range.count)
            }
            #expect(pwrite(file, "last", 4, 12_000) == 4)
            #expect(fsync(file) == 0)
        }
        try volume.remount()
        #expect(try Data(contentsOf: URL(fileURLWithPath: volume("file"))) == expected)
        try volume.unmount()
    }

    @Test func `a write of which half arrives costs what was being written, and no more`() throws {
        try storage.fail(EIO, "w/")
        try withFile("file") { file in
            let block = [UInt8](repeating: 7, count: 8192)
            #expect(pwrite(file, block, block.count, 4096) == block.count)
            #expect(fsync(file) == -1 && errno == EIO)
        }
        try storage.recover()
        try volume.remount()
        for block in 0..<5 {
            let range = block * 4096..<min((block + 1) * 4096, old.count)
            let isTouched = block == 1 || block == 2
            let new = Data(repeating: 7, count: 4096)
            let found = read("file", range)
            #expect(found == old[range] || isTouched && (found == nil || found == new), "\(block)")
        }
        // What is damaged can be written over, whole.
        try withFile("file") { file in
            let block = [UInt8](repeating: 8, count: 8192)
            #expect(pwrite(file, block, block.count, 4096) == block.count)
            #expect(fsync(file) == 0)
        }
        try volume.remount()
        #expect(read("file", 4096..<12_288) == Data(repeating: 8, count: 8192))
        try volume.unmount()
    }

    @Test func `an append of which half arrives leaves the file as long as it was`() throws {
        try withFile("file") { #expect(ftruncate($0, 8192) == 0 && fsync($0) == 0) }
        try storage.fail(ENOSPC, "w/")
        try withFile("file") { file in
            #expect(pwrite(file, [UInt8](repeating: 7, count: 9000), 9000, 8192) == 9000)
            #expect(fsync(file) == -1)
        }
        try storage.recover()
        try volume.remount()
        #expect(try Data(contentsOf: URL(fileURLWithPath: volume("file"))) == old.prefix(8192))
        try volume.unmount()
    }

    @Test func `what cannot be read is an error, and can be read when it can be`() throws {
        try volume.remount()
        try storage.fail(EIO, "R")
        #expect(read("file", 0..<4096) == nil)
        #expect(open(volume("new"), O_WRONLY | O_CLOEXEC) == -1)
        try storage.recover()
        #expect(read("file", 0..<20_000) == old)
        try volume.unmount()
    }

    @Test func `a storage that takes no changes for a time is read, and changed afterwards`() throws
    {
        try volume.remount()
        try storage.fail(EROFS, "cdlhruxtwpoW")
        #expect(read("file", 0..<20_000) == old)
        #expect(mkdir(volume("directory"), 0o755) == -1 && errno == EROFS)
        #expect(unlink(volume("file")) == -1 && truncate(volume("file"), 10) == -1)
        try withFile("file") { file in
            let written = pwrite(file, "x", 1, 0)
            #expect(written == -1 || fsync(file) == -1)
            try? storage.recover()
            #expect(pwrite(file, "z", 1, 0) == 1 && fsync(file) == 0)
        }
        #expect(truncate(volume("file"), 10_000) == 0)
        try volume.remount()
        #expect(read("file", 0..<20_000) == Data("z".utf8) + old[1..<10_000])
        try volume.unmount()
    }

    @Test func `what cannot be synchronised is told, names' files included`() throws {
        try storage.fail(EIO, "s")
        try withFile("file") { #expect(fsync($0) == -1 && errno == EIO) }
        #expect(mkdir(volume("directory"), 0o755) == 0)
        try withFile("other") { #expect(fsync($0) == -1 && errno == EIO) }
        try storage.recover()
        let before = try storage.operations().count
        try withFile("other") { #expect(fsync($0) == 0) }
        // The file that the directory's names depend on is among what was synchronised.
        let number = try #require(
            try storage.operations().compactMap { operation -> UInt64? in
                guard case .createFile(let number, let path) = operation.kind else { return nil }
                return path.hasSuffix("/gocryptfs.diriv") && path.count > 20 ? number : nil
            }.first
        )
        let since = try storage.operations()[before...]
        #expect(
            since.contains {
                if case .synchronize(number) = $0.kind { return true }
                return false
            }
        )
        try volume.unmount()
    }

    /// What fails below, and what a program does that needs it.
    @Test(arguments: ["c", "d", "l", "h", "r", "u", "x", "t", "w", "cdlhruxtwpsRo"])
    func `changes of names happen or do not, and the mount goes on`(operations: String) throws {
        let long = String(repeating: "n", count: 230)
        #expect(mkdir(volume("empty"), 0o755) == 0)
        let before = try names()
        try storage.fail(EIO, operations)
        let attempts: [(String, () -> Int32)] = [
            ("create", { [volume] in open(volume("made"), O_CREAT | O_CLOEXEC, 0o644) }),
            ("create long", { [volume] in open(volume(long), O_CREAT | O_CLOEXEC, 0o644) }),
            ("mkdir", { [volume] in mkdir(volume("directory"), 0o755) }),
            ("symlink", { [volume] in symlink("target", volume("symlink")) }),
            ("link", { [volume] in link(volume("file"), volume("second")) }),
            ("rename", { [volume] in rename(volume("other"), volume("renamed")) }),
            ("rename long", { [volume] in rename(volume("file"), volume(long + "2")) }),
            ("unlink", { [volume] in unlink(volume("renamed")) }),
            ("rmdir", { [volume] in rmdir(volume("empty")) }),
            ("truncate", { [volume] in truncate(volume("file"), 10_000) }),
        ]
        var failed: [String] = []
        for (name, attempt) in attempts {
            let result = attempt()
            if result < 0 { failed.append(name) }
            if result > 2 { close(result) }
        }
        #expect(!failed.isEmpty)
        try storage.recover()
        let after = try names()
        // What could not be made is not there, not even in part.
        for (name, path) in [
            ("create", "made"), ("create long", long), ("mkdir", "directory"),
            ("symlink", "symlink"), ("link", "second"),
        ] {
            #expect(after.contains(path) == !failed.contains(name), "\(name): \(after)")
        }
        #expect(after.contains("empty") == failed.contains("rmdir"))
        if operations.count > 1 { #expect(after == before) }
        try volume.remount()
        #expect(try names() == after)
        #expect(mkdir(volume("later"), 0o755) == 0)
        let directory = volume("later") + "/" + long
        try Data("works".utf8).write(to: URL(fileURLWithPath: directory))
        #expect(try String(contentsOfFile: directory, encoding: .utf8) == "works")
        if after.contains("file"), failed.contains("truncate") {
            #expect(read("file", 0..<20_000) == old)
        }
        try volume.unmount()
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: volume.mountPoint).sorted()
    }

    private func withFile(_ name: String, _ body: (Int32) -> Void) throws {
        let file = open(volume(name), O_RDWR | O_CLOEXEC)
        try #require(file >= 0, "\(name): errno \(errno)")
        defer { close(file) }
        body(file)
    }

    private func read(_ name: String, _ range: Range<Int>) -> Data? {
        let file = open(volume(name), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM)
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = pread(file, &bytes, bytes.count, off_t(range.lowerBound))
        return count < 0 ? nil : Data(bytes[..<count])
    }
}
