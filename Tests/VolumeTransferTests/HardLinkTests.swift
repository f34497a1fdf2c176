import CryptFS
import Foundation
import Glibc
import Linux
import TestSupport
import Testing
import VolumeFormat

@testable import VolumeTransfer

@Suite struct `A file of several names` {
    private let sandbox: Sandbox
    private let format = NewVolume.gocryptfs(
        .init(cipher: .aesGCM, names: .encrypted(.init()), scryptExponent: 10)
    )

    /// Longer than a directory entry of the storage.
    private static let long = "deep/" + String(repeating: "n", count: 220)
    private static let names = ["deep/a", "b", "c/d", long]

    init() throws {
        sandbox = try Sandbox()
        try sandbox.directory.write("content", to: "plain/deep/a", mode: 0o640)
        try sandbox.directory.write("alone", to: "plain/c/alone")
        for name in Self.names.dropFirst() { try link("deep/a", name) }
        try FileManager.default.createSymbolicLink(
            atPath: sandbox.directory("plain/link"),
            withDestinationPath: "b"
        )
        try link("link", "c/link")
    }

    private func link(_ name: String, _ other: String) throws {
        let paths = [name, other].map { sandbox.directory("plain/\($0)") }
        // Of a symbolic link, too, which Foundation would copy.
        try #require(Glibc.link(paths[0], paths[1]) == 0)
    }

    private func identity(_ path: String) throws -> FileIdentity {
        let path = sandbox.directory(path)
        let slash = try #require(path.lastIndex(of: "/"))
        let parent = try FileCall.open(path: String(path[..<slash]), [.readOnly, .directory])
        let name = try #require(FileName(Array(path[path.index(after: slash)...].utf8)))
        return try FileStatus(in: parent.rawValue, named: name).identity
    }

    private func areOne(_ names: [String], in tree: String) throws -> Bool {
        try Set(names.map { try identity("\(tree)/\($0)") }).count == 1
    }

    @Test func `stays one file, there and back, and from volume to volume`() async throws {
        let there = try await sandbox.encrypt("plain", new: format)
        #expect(there.failures.isEmpty, "\(there.failures)")
        #expect(there.files == 2 && there.links == 1 && there.hardLinks == 4)
        #expect(there.withoutLinks == 0 && there.bytes == 12)
        // Found before from another name of the same files.
        let target = try StoredVolume(
            VolumeLocation(
                storage: sandbox.directory("new"),
                configuration: sandbox.directory("n.conf")
            ),
            key: Sandbox.key,
            access: .writing,
            creation: .required(format)
        )
        let migration = Migration(of: try sandbox.open(.reading), into: target, width: 3)
        let moved = try await migration.run()
        #expect(moved.failures.isEmpty && moved.files == 2 && moved.hardLinks == 4)
        let again = try await migration.run()
        #expect(again.files == 0 && again.hardLinks == 0 && again.unchanged == 7)
        let check = try await VolumeCheck(of: target, width: 1).run()
        #expect(check.failures.isEmpty && check.foreign.isEmpty)

        let decryption = Decryption(of: target, into: sandbox.directory("again"), width: 3)
        let back = try await decryption.run()
        #expect(back.failures.isEmpty, "\(back.failures)")
        #expect(back.files == 2 && back.links == 1 && back.hardLinks == 4)
        #expect(try sandbox.listing("again") == sandbox.listing("plain"))
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
        #expect(try areOne(Self.names, in: "again") && areOne(["link", "c/link"], in: "again"))
        #expect(try FileStatus(path: sandbox.directory("again/b")).linkCount == 4)
        #expect(try await decryption.run().unchanged == 7)
    }

    @Test func `has all of them anew when its content is, and one taken away is another file`()
        async throws
    {
        try await sandbox.encrypt("plain", new: format)
        try await sandbox.decrypt(to: "again")
        // In place: all names have it.
        let file = try FileHandle(
            forWritingTo: URL(fileURLWithPath: sandbox.directory("plain/b"))
        )
        try file.write(contentsOf: Array("changed".utf8))
        try file.close()
        try setTime("b")
        let second = try await sandbox.encrypt("plain")
        #expect(second.files == 1 && second.hardLinks == 3)
        try await sandbox.decrypt(to: "again")
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
        #expect(try areOne(Self.names, in: "again"))

        // Of the same length and time, and so passed over; and yet not the same file.
        try FileManager.default.removeItem(atPath: sandbox.directory("plain/c/d"))
        try sandbox.directory.write("changed", to: "plain/c/d", mode: 0o640)
        try setTime("c/d")
        try await sandbox.encrypt("plain")
        try await sandbox.decrypt(to: "again")
        #expect(try !areOne(["b", "c/d"], in: "again"))
        #expect(try areOne(Self.names.filter { $0 != "c/d" }, in: "again"))
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
    }

    private func setTime(_ name: String) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_600_000_000)],
            ofItemAtPath: sandbox.directory("plain/\(name)")
        )
    }

    @Test func `becomes several where the format has none, and it is said how many`() async throws {
        let there = try await sandbox.encrypt("plain/deep")
        #expect(there.failures.map(\.path.count) == [220], "only the long name fails")
        #expect(there.files == 1 && there.withoutLinks == 1)
        try FileManager.default.removeItem(atPath: sandbox.directory("plain/\(Self.long)"))
        let all = try await sandbox.encrypt("plain")
        #expect(all.failures.isEmpty, "\(all.failures)")
        #expect(all.files == 4 && all.links == 2 && all.hardLinks == 0 && all.withoutLinks == 3)
        // What rclone's storage has several names for are several files: nothing is guessed.
        let stored = try StoredTree(of: sandbox.open(.reading)).entries
        let one = try #require(stored.first { $0.text == "b" })
        let path = sandbox.directory("storage/" + one.stored.map(\.description).joined())
        let other = try #require(stored.first { $0.text == "c/alone" })
        let otherPath = sandbox.directory(
            "storage/" + other.stored.map(\.description).joined(separator: "/")
        )
        try FileManager.default.removeItem(atPath: otherPath)
        try FileManager.default.linkItem(atPath: path, toPath: otherPath)
        let back = try await sandbox.decrypt(to: "again")
        #expect(back.files == 5 && back.hardLinks == 0 && back.withoutLinks == 0)
        #expect(try !areOne(["b", "c/alone"], in: "again"))
    }

    @Test func `is transferred by its next name where the first one cannot be`() async throws {
        // Whichever comes first: one of them is too long for rclone's names, and is no reason for the other.
        try FileManager.default.removeItem(atPath: sandbox.directory("plain"))
        for index in 0..<8 {
            try sandbox.directory.write("\(index)", to: "plain/\(index)")
            try link("\(index)", "\(index)" + String(repeating: "x", count: 250))
        }
        let narrow = NewVolume.gocryptfs(
            .init(
                cipher: .aesGCM,
                names: .encrypted(.init(longNameMax: nil)),
                scryptExponent: 10
            )
        )
        let report = try await sandbox.encrypt("plain", new: narrow)
        #expect(report.files == 8 && report.failures.count == 8 && report.hardLinks == 0)
        try await sandbox.decrypt(to: "again")
        for index in 0..<8 {
            #expect(try sandbox.directory.read("again/\(index)") == Array("\(index)".utf8))
        }
    }

    @Test func `is one of so many at once that are known, and complete ones make room`() throws {
        let root = try FileCall.open(path: sandbox.directory("plain"), [.readOnly, .directory])
        for index in 0..<5 {
            try sandbox.directory.write("x", to: "plain/many/\(index)")
            try link("many/\(index)", "many/\(index)'")
        }
        let found = PlainTree(below: root.rawValue).entries.filter { $0.text.hasPrefix("many/") }
            .sorted { $0.text < $1.text }
        // Names one after the other: never more than one is incomplete.
        let orderly = TransferList(found, isKept: true, limit: 1)
        #expect(orderly.entries.count == 5 && orderly.furtherNames.count == 5)
        #expect(orderly.separatedNames == 0)
        // All first names, then all second ones.
        let sorted =
            found.filter { !$0.text.hasSuffix("'") } + found.filter { $0.text.hasSuffix("'") }
        let bounded = TransferList(sorted, isKept: true, limit: 2)
        #expect(bounded.furtherNames.count == 2 && bounded.entries.count == 8)
        // Three names became files of their own; one more could not be told from another such.
        #expect(bounded.separatedNames == 4)
        let none = TransferList(sorted, isKept: false)
        #expect(none.entries.count == 10 && none.separatedNames == 5)
    }
}
