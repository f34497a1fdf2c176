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
            (object[name] as? [[String: String]] ?? []).compactMap { $0["path"] }
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
}
