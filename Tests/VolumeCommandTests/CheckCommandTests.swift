import Foundation
import TestSupport
import Testing

@Suite(.serialized, .requires(.executables))
struct `A volume's check` {
    private let work: Workplace

    init() throws {
        work = try Workplace()
        try work.makePlain()
        try work.makeLongNames()
        try work.makeVolume("storage", ["--plaintext-names"])
    }

    private func check(_ storage: String = "storage") throws -> (Int32, [String], [String]) {
        let output = try work("volume", "check", storage, "--json")
        let object = try work.object(output)
        func paths(_ name: String) -> [String] {
            (object[name] as? [[String: Any]] ?? []).compactMap { $0["path"] as? String }
        }
        return (output.status, paths("damaged"), paths("undecodable"))
    }

    @Test func `finds nothing in a sound volume, and every file that is damaged`() throws {
        try work.fill("storage")
        // The negative control.
        #expect(try check() == (0, [], []))
        // With plain names, a stored file is easily found: a bit of the second block.
        try work.flip("storage/folder/big", at: 18 + 4128 + 100)
        try work.flip("storage/hello.txt", at: 0)
        let (status, damaged, undecodable) = try check()
        #expect(status == 26)
        #expect(damaged == ["folder/big", "hello.txt"])
        #expect(undecodable == [])
        let text = try work("volume", "check", "storage")
        #expect(text.status == 26)
        #expect(text.text.contains("damaged: folder/big: block 1 does not authenticate"))
        #expect(text.text.contains("2 DAMAGED"))
    }

    @Test func `finds every block of a file that is damaged`() throws {
        try work.directory.write([UInt8](repeating: 1, count: 3_000_000), to: "plain/large")
        try work.fill("storage")
        for block: UInt64 in [0, 7, 8, 9, 300, 732] {
            try work.flip("storage/large", at: 18 + 4128 * block + 50)
        }
        let some = try work("volume", "check", "storage")
        #expect(some.status == 26)
        #expect(some.text.contains("large: blocks 0, 7-9, 300, 732 do not authenticate"))
        // More than a person reads: every second block.
        for block in stride(from: UInt64(10), to: 100, by: 2) {
            try work.flip("storage/large", at: 18 + 4128 * block + 50)
        }
        let many = try work("volume", "check", "storage")
        #expect(
            many.text.contains("blocks 0, 7-10, 12, 14, 16, 18, 20, 22 and 40 more do not"),
            "\(many.text)"
        )
    }

    @Test func `finds a file that was cut off within a block`() throws {
        try work.fill("storage")
        let file = try FileHandle(forUpdating: work.url("storage/folder/big"))
        try file.truncate(atOffset: 18 + 4128 + 20)
        try file.close()
        #expect(try check() == (26, ["folder/big"], []))
    }

    @Test func `writes zeros over damaged blocks, of what is named and nothing else`() throws {
        let content = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
        for name in ["folder/app.db", "folder/app.db-wal", "other"] {
            try work.directory.write(content, to: "plain/" + name)
        }
        try work.fill("storage")
        // In the middle, the short last block, and one of which too little is there.
        try work.flip("storage/folder/app.db", at: 18 + 4128 + 50)
        try work.flip("storage/folder/app.db", at: 18 + 4 * 4128 + 1000)
        let log = try FileHandle(forUpdating: work.url("storage/folder/app.db-wal"))
        try log.truncate(atOffset: 18 + 4 * 4128 + 20)
        try log.close()
        try work.flip("storage/other", at: 100)
        let before = try work.directory.read("storage/other")

        let zeroed = try work("volume", "check", "storage", "--zero", "folder", "--json")
        #expect(zeroed.status == 26)
        let damaged = try #require(work.object(zeroed)["damaged"] as? [[String: Any]])
        #expect(damaged.map { $0["zeroed"] as? Bool } == [true, true, false])
        let texts = damaged.compactMap { $0["error"] as? String }
        #expect(texts[0] == "blocks 1, 4 are zeros now: did not authenticate")
        #expect(texts[1] == "block 4 is zeros now: did not authenticate")
        #expect(try work.directory.read("storage/other") == before)

        #expect(try check() == (26, ["other"], []))
        var expected = content
        expected.replaceSubrange(4096..<8192, with: repeatElement(0, count: 4096))
        expected.replaceSubrange(16_384..., with: repeatElement(0, count: 3616))
        #expect(try work("volume", "cat", "storage", "folder/app.db").standardOutput == expected)
        let rest = try work("volume", "cat", "storage", "folder/app.db-wal").standardOutput
        #expect(rest == Array(content[..<16_384]))
        // Everything; then nothing is left.
        #expect(try work("volume", "check", "storage", "--zero", ".").status == 26)
        #expect(try check() == (0, [], []))
    }

    @Test(.requires(.tool("rclone"), .fuse)) func `refuses to zero what it should not`() throws {
        try work.fill("storage")
        let nowhere = try work("volume", "check", "storage", "--zero", "folder", "--zero", "fold")
        #expect(nowhere.status == 74)
        #expect(nowhere.errorText.contains("nothing called fold in the volume"))

        let writer = try Mount(work)
        let inUse = try work("volume", "check", "storage", "--zero", ".")
        #expect(inUse.status == 78 && inUse.errorText.contains("open for writing"))
        try writer.write([UInt8](repeating: 1, count: 8000), to: "file")
        try writer.kill()
        // What it was writing can be completed still.
        let killed = try work("volume", "check", "storage", "--zero", ".")
        #expect(killed.status == 73 && killed.errorText.contains("was killed"))
        let next = try Mount(work)
        _ = try next.read("file")
        try next.end()
        #expect(try work("volume", "check", "storage", "--zero", ".").status == 0)

        try work.rcloneVolume()
        let other = try work("volume", "check", "old", "--config", "encrypt.conf", "--zero", ".")
        #expect(other.status == 64)
        #expect(other.errorText.contains("is of rclone's format, where a block cannot be replaced"))
    }

    @Test(.requires(.tool("gocryptfs"), .fuse))
    func `finds lost names and directories, as gocryptfs does`() throws {
        try work.makeVolume("names")
        try work.fill("names")
        #expect(try check("names") == (0, [], []))
        let root = work.directory("names")
        let entries = try FileManager.default.contentsOfDirectory(atPath: root)
        let long = try #require(entries.first { $0.hasSuffix(".name") })
        try FileManager.default.removeItem(atPath: "\(root)/\(long)")
        let directory = try #require(
            entries.first {
                !$0.hasPrefix("gocryptfs.longname.")
                    && FileManager.default.fileExists(atPath: "\(root)/\($0)/gocryptfs.diriv")
            }
        )
        try FileManager.default.removeItem(atPath: "\(root)/\(directory)/gocryptfs.diriv")
        try work.directory.write("no name", to: "names/notes.txt")
        let (status, damaged, undecodable) = try check("names")
        #expect(status == 26)
        #expect(damaged.count == 1)
        #expect(Set(undecodable) == [String(long.dropLast(5)), "notes.txt"])
        let fsck = try work.gocryptfs(["-fsck", "names"], expecting: 26)
        #expect(fsck.status == 26)
    }

    @Test(.requires(.fuse), arguments: [false, true])
    func `says what may be completed that a killed writer left`(keepsJournal: Bool) throws {
        let note = "A process that wrote here was killed."
        let file = work.directory("storage/file")
        var versions: [[UInt8]] = []
        let writer = try Mount(work, keepsJournal ? ["--journal"] : [])
        for byte: UInt8 in [1, 2] {
            try writer.write([UInt8](repeating: byte, count: 8000), to: "file")
            versions.append(try work.directory.read("storage/file"))
        }
        // Somebody writes: what is read at the same time may be half of something.
        try work.flip("storage/file", at: 5000)
        #expect(try !work("volume", "check", "storage").text.contains(note))
        try writer.kill()
        if keepsJournal { try work.pretendRestart() }
        #expect(try check() == (26, ["file"], []))
        let torn = versions[1][..<4096] + versions[0][4096...]
        try Data(torn).write(to: URL(fileURLWithPath: file), options: [])
        let found = try work("volume", "check", "storage")
        #expect(found.status == 26)
        #expect(found.text.contains(note), "\(found.text)")

        let next = try Mount(work)
        let completed: [UInt8] =
            Array(repeating: 2, count: 4096) + Array(repeating: 1, count: 3904)
        #expect(try next.read("file") == completed)
        try next.end()
        let sound = try work("volume", "check", "storage")
        #expect(sound.status == 0 && !sound.text.contains(note), "\(sound.text)")
        // The control: damage, and nobody killed.
        try work.flip("storage/file", at: 5000)
        let damaged = try work("volume", "check", "storage")
        #expect(damaged.status == 26 && !damaged.text.contains(note), "\(damaged.text)")
    }
}

extension Workplace {
    /// Has the lock file say that its writer was there before the machine was started last.
    fileprivate func pretendRestart() throws {
        let file = URL(
            fileURLWithPath: directory("storage/gocryptfs.longname.secure-store-writer.name")
        )
        var text = try Data(contentsOf: file)
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let range = try #require(text.range(of: Data(boot.utf8.dropLast())))
        text[range.lowerBound] = text[range.lowerBound] == 0x30 ? 0x31 : 0x30
        try text.write(to: file)
    }
}

/// The volume `storage`, mounted by the tool.
private final class Mount {
    private let directory: String
    private let process: Subprocess

    init(_ work: Workplace, _ options: [String] = []) throws {
        directory = work.directory("mount")
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        process = try work.start(["volume", "mount", "storage", "mount"] + options)
        let isMounted = waitUntil(timeout: 30) { [directory] in
            let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            return mounts?.contains(" \(directory) fuse") ?? false
        }
        try #require(isMounted, "\(process.errorText)")
    }

    deinit {
        process.signal(SIGKILL)
        umount2(directory, Int32(MNT_DETACH))
    }

    func write(_ content: [UInt8], to name: String) throws {
        let file = open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(pwrite(file, content, content.count, 0) == content.count)
        try #require(fsync(file) == 0)
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)")))
    }

    func kill() throws {
        process.signal(SIGKILL)
        try process.wait()
        umount2(directory, Int32(MNT_DETACH))
    }

    func end() throws {
        process.signal(SIGTERM)
        #expect(try process.wait().status == 0)
    }
}
