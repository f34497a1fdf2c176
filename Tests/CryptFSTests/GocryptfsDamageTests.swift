import Foundation
import Glibc
import Linux
import TestSupport
import Testing

/// Damage underneath: an error, or what the format cannot see, and nothing else.
@Suite(.requires(.fuse))
struct GocryptfsDamageTests {
    private static let sealedBlockCount = 4096 + 32
    private let content = Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31 / 7) })

    /// Where a bit is flipped, and which of the five blocks it makes unreadable.
    @Test(arguments: [
        (0, [0, 1, 2, 3, 4]), (1, [0, 1, 2, 3, 4]), (2, [0, 1, 2, 3, 4]), (17, [0, 1, 2, 3, 4]),
        (18, [0]), (34, [0]), (18 + 4127, [0]), (18 + 4128, [1]), (18 + 4 * 4128 + 3000, [4]),
    ])
    func `a flipped bit costs its block and no other`(offset: Int, damaged: [Int]) throws {
        try withDamage {
            $0[offset] ^= 0x10
        } check: { found in
            for block in 0..<5 {
                let range = block * 4096..<min((block + 1) * 4096, content.count)
                #expect(found(range) == (damaged.contains(block) ? nil : content[range]))
            }
        }
    }

    @Test func `blocks that change places, or stand twice, do not authenticate`() throws {
        let first = 18..<18 + Self.sealedBlockCount
        let second = first.upperBound..<first.upperBound + Self.sealedBlockCount
        try withDamage {
            $0.replaceSubrange(second, with: $0[first])
        } check: { found in
            #expect(found(0..<4096) == content[0..<4096])
            #expect(found(4096..<8192) == nil)
        }
        try withDamage {
            $0.replaceSubrange(first.lowerBound..<second.upperBound, with: $0[second] + $0[first])
        } check: { found in
            #expect(found(0..<4096) == nil && found(4096..<8192) == nil)
            #expect(found(8192..<12_288) == content[8192..<12_288])
        }
    }

    @Test(arguments: [5, 17, 30, 18 + 32, 18 + 100, 18 + 4128 + 1, 18 + 4128 + 32, 18 + 4128 + 40])
    func `a file cut within a block is an error there`(count: Int) throws {
        try withDamage {
            $0 = $0.prefix(count)
        } check: { found in
            // Whatever is shown, nothing wrong is; the last byte there is, if any, is an error.
            let whole = max(count - 18, 0) / Self.sealedBlockCount * 4096
            if whole > 0 { #expect(found(0..<whole) == content[0..<whole]) }
            #expect(found(whole..<whole + 1)?.isEmpty ?? true)
        }
    }

    @Test func `what the format cannot see is what the threat model says`() throws {
        // Cut between blocks: a shorter file.
        try withDamage {
            $0 = $0.prefix(18 + 2 * Self.sealedBlockCount)
        } check: { found in
            #expect(found(0..<20_000) == content[..<8192])
        }
        // A block of zeros: a hole.
        let block = 18 + Self.sealedBlockCount..<18 + 2 * Self.sealedBlockCount
        try withDamage {
            $0.resetBytes(in: block)
        } check: { found in
            #expect(found(4096..<8192) == Data(count: 4096))
            #expect(found(0..<4096) == content[..<4096])
        }
    }

    @Test func `whole files that are exchanged, rolled back or taken away are believed`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        var stored: [String: URL] = [:]
        for name in ["first", "second", "older", "removed"] {
            stored[name] = try added(to: volume) {
                try Data(name.utf8).write(to: URL(fileURLWithPath: volume(name)))
            }
        }
        try volume.unmount()
        let older = try Data(contentsOf: #require(stored["older"]))
        try volume.mount()
        try Data("newer".utf8).write(to: URL(fileURLWithPath: volume("older")))
        try volume.unmount()
        let (first, second) = (try #require(stored["first"]), try #require(stored["second"]))
        let content = try Data(contentsOf: first)
        try Data(contentsOf: second).write(to: first)
        try content.write(to: second)
        try older.write(to: #require(stored["older"]))
        try FileManager.default.removeItem(at: #require(stored["removed"]))
        try volume.mount()
        #expect(try text(volume("first")) == "second" && text(volume("second")) == "first")
        #expect(try text(volume("older")) == "older")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: volume.mountPoint).sorted()
                == ["first", "older", "second"]
        )
        try volume.unmount()
    }

    @Test func `a directory with another's bytes shows nothing of what is in it`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        var stored: [URL] = []
        for name in ["one", "two"] {
            stored.append(
                try added(to: volume) { #expect(mkdir(volume(name), 0o755) == 0) }
                    .appendingPathComponent("gocryptfs.diriv")
            )
            try Data(name.utf8).write(
                to: URL(fileURLWithPath: volume(name + "/a long file's name"))
            )
        }
        try volume.unmount()
        try FileManager.default.removeItem(at: stored[0])
        try FileManager.default.copyItem(at: stored[1], to: stored[0])
        try volume.mount()
        let path = volume("one/a long file's name")
        #expect(access(path, F_OK) == -1 && errno == ENOENT)
        #expect(try text(volume("two/a long file's name")) == "two")
        try volume.unmount()
    }

    @Test func `links' targets and modes are believed from elsewhere`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        var links: [URL] = []
        for name in ["one", "two"] {
            links.append(try added(to: volume) { #expect(symlink(name, volume(name)) == 0) })
        }
        let file = try added(to: volume) {
            try Data().write(to: URL(fileURLWithPath: volume("file")))
        }
        try volume.unmount()
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: links[1].path)
        try FileManager.default.removeItem(at: links[0])
        try FileManager.default.createSymbolicLink(
            atPath: links[0].path,
            withDestinationPath: target
        )
        #expect(chmod(file.path, 0o4755) == 0)
        try volume.mount()
        #expect(
            try FileManager.default.destinationOfSymbolicLink(atPath: volume("one")) == "two"
        )
        var status = stat()
        #expect(stat(volume("file"), &status) == 0 && status.st_mode & 0o7777 == 0o4755)
        try volume.unmount()
    }

    @Test func `attributes' values are believed under other names and in other files`() throws {
        let volume = try MountedVolume(format: .gocryptfs)
        var stored: [URL] = []
        for name in ["one", "two"] {
            stored.append(
                try added(to: volume) {
                    try Data().write(to: URL(fileURLWithPath: volume(name)))
                }
            )
        }
        // Sealed names, by plain ones: the same in every file.
        var names: [String: String] = [:]
        for (file, name, value) in [
            (0, "user.a", "first"), (0, "user.b", "second"), (0, "user.gone", "x"),
            (1, "user.a", "third"),
        ] {
            let before = try attributes(stored[file].path).keys
            let path = volume(file == 0 ? "one" : "two")
            try setAttribute(name, Array(value.utf8), of: path)
            names[name] = try attributes(stored[file].path).keys.first { !before.contains($0) }
        }
        try volume.unmount()
        let (a, b) = (try #require(names["user.a"]), try #require(names["user.b"]))
        let (one, two) = (try attributes(stored[0].path), try attributes(stored[1].path))
        #expect(two.keys.elementsEqual([a]) && !one.values.contains(Array("first".utf8)))
        for (name, value) in [(a, one[b]), (b, two[a])] {
            let value = try #require(value)
            try setAttribute(name, value, of: stored[0].path)
        }
        let gone = try #require(names["user.gone"])
        try withAttribute(gone, of: stored[0].path) { try ExtendedAttribute.remove($0, of: $1) }
        try volume.mount()
        #expect(
            try attributes(volume("one"))
                == ["user.a": Array("second".utf8), "user.b": Array("third".utf8)]
        )
        #expect(try attributes(volume("two")) == ["user.a": Array("third".utf8)])
        try volume.unmount()
    }

    /// Extended attributes in `user.`, by name.
    private func attributes(_ path: String) throws -> [String: [UInt8]] {
        let file = try FileCall.open(path: path, .readOnly)
        let number = file.rawValue
        var buffer = [UInt8](repeating: 0, count: ExtendedAttribute.maximumCount)
        let count = try buffer.withUnsafeMutableBytes {
            try ExtendedAttribute.list(of: number, into: $0)
        }
        var attributes: [String: [UInt8]] = [:]
        for bytes in buffer[..<count].split(separator: 0) where bytes.starts(with: "user.".utf8) {
            let name = try #require(FileName(bytes))
            let count = try buffer.withUnsafeMutableBytes {
                try ExtendedAttribute.read(name, of: number, into: $0)
            }
            attributes[name.description] = Array(buffer[..<count])
        }
        return attributes
    }

    private func setAttribute(_ name: String, _ value: [UInt8], of path: String) throws {
        try withAttribute(name, of: path) { name, file in
            try value.withUnsafeBytes {
                try ExtendedAttribute.write(name, of: file, $0, flags: 0)
            }
        }
    }

    private func withAttribute(
        _ name: String,
        of path: String,
        _ body: (FileName, Int32) throws -> Void
    ) throws {
        let file = try FileCall.open(path: path, .readOnly)
        try body(#require(FileName(name.utf8)), file.rawValue)
    }

    /// What appears in the storage while something is done to the mount.
    private func added(to volume: MountedVolume, _ body: () throws -> Void) throws -> URL {
        let before = Set(try FileManager.default.contentsOfDirectory(atPath: volume.storage))
        try body()
        let after = Set(try FileManager.default.contentsOfDirectory(atPath: volume.storage))
        let name = try #require(after.subtracting(before).first)
        return URL(fileURLWithPath: volume.storage + "/" + name)
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }

    /// Runs `check` on a mounted volume with `file`, whose stored bytes were changed: what is read in
    /// a range, nil for an I/O error.
    private func withDamage(
        _ damage: (inout Data) -> Void,
        check: ((Range<Int>) -> Data?) -> Void
    ) throws {
        let volume = try MountedVolume(format: .gocryptfs)
        try content.write(to: URL(fileURLWithPath: volume("file")))
        try volume.unmount()
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: volume.storage)
                .first { !$0.hasPrefix("gocryptfs.") }
        )
        let stored = URL(fileURLWithPath: volume.storage + "/" + name)
        var bytes = try Data(contentsOf: stored)
        damage(&bytes)
        try bytes.write(to: stored)
        try volume.mount()
        check { range in
            let file = open(volume("file"), O_RDONLY | O_CLOEXEC)
            defer { close(file) }
            var buffer = [UInt8](repeating: 0, count: range.count)
            let count = pread(file, &buffer, buffer.count, off_t(range.lowerBound))
            return count < 0 ? nil : Data(buffer[..<count])
        }
        try volume.unmount()
    }
}
