import Foundation
import TestSupport
import Testing

/// Damage underneath: an error for what is damaged, and nothing but right bytes otherwise.
@Suite(.requires(.fuse))
struct DamageTests {
    private let blockCount = 65_536
    private let sealedBlockCount = 65_552

    /// Where a flipped bit is, and which of the file's three blocks it makes unreadable.
    @Test(arguments: [
        (0, [0, 1, 2]), (7, [0, 1, 2]), (8, [0, 1, 2]), (31, [0, 1, 2]), (32, [0]), (47, [0]),
        (48, [0]), (32 + 65_551, [0]), (32 + 65_552, [1]), (32 + 65_552 + 16, [1]),
        (32 + 2 * 65_552, [2]), (32 + 2 * 65_552 + 115, [2]),
    ])
    func `a flipped bit costs its block and no other`(offset: Int, damaged: [Int]) throws {
        let (volume, stored, content) = try makeVolume(count: 2 * 65_536 + 100)
        var bytes = try Data(contentsOf: stored)
        bytes[offset] ^= 0x10
        try bytes.write(to: stored)
        try volume.mount()
        for block in 0..<3 {
            let range = block * blockCount..<min((block + 1) * blockCount, content.count)
            let found = read(volume("file"), range)
            #expect(found == (damaged.contains(block) ? .failure(EIO) : .success(content[range])))
        }
        try expectNeighboursUntouched(volume)
        let log = try volume.unmount()
        let lines = log.split(separator: "\n").filter { $0.contains("A file is damaged") }
        #expect(lines.count == 1, "\(log)")
        #expect(!log.contains("file\""), "a decrypted name in the log: \(log)")
    }

    @Test(arguments: [
        0, 1, 8, 31, 32, 33, 47, 48, 49, 100, 32 + 65_551, 32 + 65_552, 32 + 65_553,
        32 + 65_552 + 16, 32 + 65_552 + 17, 32 + 65_552 + 40_000,
    ])
    func `a file cut short never shows a wrong byte`(count: Int) throws {
        let (volume, stored, content) = try makeVolume(count: 2 * 65_536 + 100)
        try Data(contentsOf: stored).prefix(count).write(to: stored)
        try volume.mount()
        let isHeaderWhole = count >= 32
        let rest = max(count - 32, 0) % sealedBlockCount
        let isCutInTag = rest > 0 && rest <= 16
        let whole = read(volume("file"), 0..<content.count)
        switch whole {
        case .success(let found):
            // Between blocks it cannot be told from a shorter file: the format has no last block.
            #expect(isHeaderWhole && rest == 0)
            #expect(found == content.prefix((count - 32) / sealedBlockCount * blockCount))
        case .failure(let code):
            #expect(code == EIO)
            #expect(!isHeaderWhole || isCutInTag || rest > 16)
        }
        try expectNeighboursUntouched(volume)
        try volume.unmount()
    }

    @Test func `blocks that change places do not authenticate`() throws {
        let (volume, stored, content) = try makeVolume(count: 3 * 65_536)
        var bytes = try Data(contentsOf: stored)
        let first = bytes[32..<32 + sealedBlockCount]
        let second = bytes[32 + sealedBlockCount..<32 + 2 * sealedBlockCount]
        bytes.replaceSubrange(32..<32 + 2 * sealedBlockCount, with: second + first)
        try bytes.write(to: stored)
        try volume.mount()
        #expect(read(volume("file"), 0..<blockCount) == .failure(EIO))
        #expect(read(volume("file"), blockCount..<2 * blockCount) == .failure(EIO))
        let last = 2 * blockCount..<3 * blockCount
        #expect(read(volume("file"), last) == .success(content[last]))
        try volume.unmount()
    }

    @Test func `a damaged block can be overwritten but not changed in part`() throws {
        let (volume, stored, content) = try makeVolume(count: 2 * 65_536)
        var bytes = try Data(contentsOf: stored)
        bytes[100] ^= 1
        try bytes.write(to: stored)
        try volume.mount()
        let file = open(volume("file"), O_RDWR | O_CLOEXEC)
        #expect(pwrite(file, "x", 1, 10) == -1 || fsync(file) == -1)
        close(file)
        #expect(try Data(contentsOf: stored) == bytes, "the stored file was touched")
        try volume.remount()
        let again = open(volume("file"), O_RDWR | O_CLOEXEC)
        let block = [UInt8](repeating: 9, count: blockCount)
        #expect(pwrite(again, block, block.count, 0) == block.count)
        #expect(fsync(again) == 0)
        close(again)
        try volume.remount()
        let expected = Data(block) + content[blockCount...]
        #expect(read(volume("file"), 0..<2 * blockCount) == .success(expected))
        try volume.unmount()
    }

    @Test func `names of others are passed over, with one warning each`() throws {
        let (volume, _, _) = try makeVolume(count: 10)
        try FileManager.default.createDirectory(
            atPath: volume.storage + "/plain directory",
            withIntermediateDirectories: false
        )
        try Data().write(to: URL(fileURLWithPath: volume.storage + "/plain file"))
        try FileManager.default.createSymbolicLink(
            atPath: volume.storage + "/link",
            withDestinationPath: "/etc"
        )
        try volume.mount()
        for _ in 0..<3 {
            let names = try FileManager.default.contentsOfDirectory(atPath: volume.mountPoint)
            #expect(names.sorted() == ["before", "file", "later"])
        }
        let log = try volume.unmount()
        for name in ["\"plain directory\"", "\"plain file\"", "stored_name=link"] {
            #expect(log.components(separatedBy: name).count == 2, "\(log)")
        }
    }

    @Test func `a symbolic link in the storage leads nowhere`() throws {
        let (volume, stored, _) = try makeVolume(count: 10)
        try FileManager.default.removeItem(at: stored)
        try FileManager.default.createSymbolicLink(
            atPath: stored.path,
            withDestinationPath: "/etc/passwd"
        )
        try volume.mount()
        #expect(read(volume("file"), 0..<10) == .failure(ENOENT))
        try volume.unmount()
    }

    private enum Found: Equatable {
        case success(Data)
        case failure(Int32)
    }

    /// A volume that is not mounted, with `file` of random content between two others.
    private func makeVolume(count: Int) throws -> (MountedVolume, URL, Data) {
        let volume = try MountedVolume()
        try Data("before".utf8).write(to: URL(fileURLWithPath: volume("before")))
        let others = Set(try FileManager.default.contentsOfDirectory(atPath: volume.storage))
        var generator = SystemRandomNumberGenerator()
        let content = Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        try content.write(to: URL(fileURLWithPath: volume("file")))
        let all = Set(try FileManager.default.contentsOfDirectory(atPath: volume.storage))
        try Data("later".utf8).write(to: URL(fileURLWithPath: volume("later")))
        let name = try #require(all.subtracting(others).first)
        try volume.unmount()
        return (volume, URL(fileURLWithPath: volume.storage + "/" + name), content)
    }

    private func read(_ path: String, _ range: Range<Int>) -> Found {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return .failure(errno) }
        defer { close(file) }
        // Only what is asked for: reading ahead is no part of this.
        posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM)
        var bytes = [UInt8](repeating: 0xaa, count: range.count)
        var count = 0
        while count < range.count {
            let done = count
            let read = bytes.withUnsafeMutableBytes { bytes in
                pread(
                    file,
                    bytes.baseAddress.map { $0 + done },
                    range.count - done,
                    off_t(range.lowerBound + done)
                )
            }
            if read < 0 { return .failure(errno) }
            if read == 0 { break }
            count += read
        }
        return .success(Data(bytes[..<count]))
    }

    private func expectNeighboursUntouched(_ volume: MountedVolume) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: volume.mountPoint)
        #expect(names.sorted() == ["before", "file", "later"])
        for name in ["before", "later"] {
            #expect(try String(contentsOfFile: volume(name), encoding: .utf8) == name)
        }
        var status = stat()
        #expect(stat(volume("file"), &status) == 0)
    }
}
