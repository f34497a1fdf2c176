import Foundation
import Linux
import TestSupport
import Testing
import VolumeFormat
import VolumeTransfer

@Suite struct `Running again` {
    @Test func `passes over what is there`() async throws {
        let sandbox = try Sandbox()
        try sandbox.makeTree("plain")
        try await sandbox.encrypt("plain")
        let second = try await sandbox.encrypt("plain")
        #expect(second.files == 0 && second.links == 0 && second.unchanged == 15)
        try await sandbox.decrypt(to: "again")
        let fourth = try await sandbox.decrypt(to: "again")
        #expect(fourth.files == 0 && fourth.links == 0 && fourth.unchanged == 15)
    }

    @Test func `replaces what changed, and what does not open`() async throws {
        let sandbox = try Sandbox()
        try sandbox.makeTree("plain")
        try await sandbox.encrypt("plain")
        // Another size, another time, another target; and a stored file whose first block is bad.
        try sandbox.directory.write("longer", to: "plain/top.txt", mode: 0o640)
        try sandbox.directory.write("#!/bin/ru\n", to: "plain/a/b/c/run", mode: 0o755)
        try FileManager.default.removeItem(atPath: sandbox.directory("plain/link"))
        try FileManager.default.createSymbolicLink(
            atPath: sandbox.directory("plain/link"),
            withDestinationPath: "elsewhere"
        )
        let volume = try sandbox.open(.reading)
        let entry = try #require(
            StoredTree(of: volume).entries.first { $0.text == "sizes/65537" }
        )
        try damage(try storedPath(of: entry, sandbox), at: 40, keepingTime: true)
        let report = try await sandbox.encrypt("plain")
        #expect(report.files == 3 && report.links == 1 && report.unchanged == 11)
        try await sandbox.decrypt(to: "again")
        #expect(try sandbox.listing("again") == sandbox.listing("plain"))
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
    }

    @Test func `goes on after a stop, which leaves nothing half`() async throws {
        let sandbox = try Sandbox()
        try sandbox.makeTree("plain")
        let stopped = TransferProgress()
        stopped.stop()
        let report = try await sandbox.encrypt("plain", progress: stopped)
        #expect(report.files == 0)
        #expect(report.failures.count == 15)
        #expect(report.failures.allSatisfy { $0.cause == .interrupted })
        let left = try Subprocess.run("find", [sandbox.directory("storage"), "!", "-type", "d"])
        #expect(left.text == "")
        // What a crash left is removed.
        let draft = ".secure-store-0123456789abcdef0123456789abcdef.draft"
        try sandbox.directory.write("half", to: "storage/\(draft)")
        try await sandbox.encrypt("plain")
        #expect(!FileManager.default.fileExists(atPath: sandbox.directory("storage/\(draft)")))
        try sandbox.directory.write("half", to: "again/\(draft)")
        try sandbox.directory.write("half", to: "again/a/\(draft)")
        try await sandbox.decrypt(to: "again")
        #expect(try sandbox.listing("again") == sandbox.listing("plain"))
    }

    private func storedPath(of entry: TreeEntry, _ sandbox: Sandbox) throws -> String {
        let found = try Subprocess.run(
            "find",
            [sandbox.directory("storage"), "-inum", "\(entry.status.identity.number)"]
        )
        return found.text.trimmingCharacters(in: .newlines)
    }
}

/// Flips a bit of a file.
func damage(_ path: String, at offset: UInt64, keepingTime: Bool = false) throws {
    let before = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.seek(toOffset: offset)
    let byte = try #require(file.read(upToCount: 1)?.first)
    try file.seek(toOffset: offset)
    try file.write(contentsOf: [byte ^ 1])
    try file.close()
    if keepingTime {
        // To the nanosecond, which a Date does not hold.
        let saved = try #require(before as? Date)
        let text = String(format: "@%.9f", saved.timeIntervalSince1970)
        let output = try Subprocess.run("touch", ["-d", text, path])
        #expect(output.status == 0)
    }
}
