import CryptFS
import Cryptography
import Foundation
import TestSupport
import Testing
import VolumeFormat
import VolumeTransfer

/// What is left when the power goes of a volume of rclone's format, where a file is replaced whole: the old
/// content or a new one, and nothing in between.
@Suite(.requires(.fuse))
struct PowerLossRcloneTests {
    /// What a program does.
    enum Scenario: String, CaseIterable {
        case overwriting
        case appending
        case truncating
        case replacing
        case directories
        case movingIntoNewDirectories
        case holes
        case rewriting
        case beginningEmpty

        /// The same as on a volume of gocryptfs's format; nil for what only matters here.
        private var common: PowerLossTests.Scenario? { .init(rawValue: rawValue) }

        func run(_ program: inout Program) throws {
            switch self {
            case .rewriting: try rewrite(&program)
            case .beginningEmpty: try beginEmpty(&program)
            default: try #require(common).run(&program)
            }
        }

        /// More than two blocks; emptied and written anew, as an editor does it, and changed in the middle.
        private func rewrite(_ program: inout Program) throws {
            try program.create("file")
            try program.append("file", count: 150_000)
            try program.synchronize("file")
            try program.create("file")
            try program.append("file", count: 140_000)
            try program.write("file", at: 70_000, count: 10)
            try program.synchronize("file")
            try program.write("file", at: 1000, count: 100_000)
            try program.truncate("file", to: 65_536)
            try program.create("file")
            try program.append("file", count: 10)
        }

        /// What was synchronised is that there is nothing.
        private func beginEmpty(_ program: inout Program) throws {
            for name in ["lock", "log"] {
                try program.create(name)
                try program.synchronize(name)
            }
            try program.append("log", count: 5000)
            try program.append("log", count: 70_000)
            try program.create("log")
        }
    }

    @Test(arguments: Scenario.allCases)
    func `what was synchronised is there whole, and nothing else makes it unreadable`(
        scenario: Scenario
    ) throws {
        let (states, found) = try record(scenario).faults()
        #expect(found.isEmpty, "\(states) states: \(found.sorted().joined(separator: "\n"))")
        #expect(states > 50)
    }

    /// The negative control.
    @Test(arguments: [Scenario.overwriting, .beginningEmpty])
    func `without synchronising below, what was promised would be unreadable`(
        scenario: Scenario
    ) throws {
        let (_, found) = try record(scenario).withoutSynchronizing.faults()
        #expect(found.contains { $0.contains("unreadable") }, "\(found)")
    }

    @Test func `a symbolic link in a synchronised directory leads where it led`() throws {
        var done = 0
        let record = try RecordedUse(of: .rclone) { program in
            let volume = program.volume
            try #require(symlink("first target", volume("first")) == 0)
            try #require(symlink("second target", volume("second")) == 0)
            let directory = open(volume.mountPoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            try #require(directory >= 0 && fsync(directory) == 0)
            close(directory)
            done = program.storage.position
            try Data("more".utf8).write(to: URL(fileURLWithPath: volume("file")))
        }
        let (_, found) = try record.log.visit { image, position in
            guard position >= done else { return [] }
            let files = try record.tree(image).files
            return ["first", "second"].filter {
                files["/\($0).rclonelink"]?.content != Array("\($0) target".utf8)
            }
        }
        #expect(found.isEmpty)
    }

    @Test func `what is encrypted has its name when it is whole, and stays`() async throws {
        let folder = try TemporaryDirectory(in: "/dev/shm")
        let contents: [String: [UInt8]] = [
            "first": (0..<150_000).map { UInt8(truncatingIfNeeded: $0) },
            "folder/second": Array("short".utf8), "folder/empty": [],
        ]
        for (name, content) in contents { try folder.write(content, to: "plain/" + name) }
        let storage = try RecordedStorage()
        let configuration = folder("encrypt.conf")
        let target = try StoredVolume(
            VolumeLocation(storage: storage.path, configuration: configuration),
            key: SecretBytes(copying: MountedVolume.key.utf8),
            access: .writing,
            creation: .required(.rclone(.new()))
        )
        let start = storage.position
        _ = try await Encryption(of: folder("plain"), into: target, width: 2).run()
        let done = storage.position
        let reader = try RcloneImageReader(configuration: configuration, key: MountedVolume.key)
        let log = StorageLog(operations: try storage.operations(), start: start)
        let (_, found) = try log.visit { image, position in
            let files = try reader.tree(image).files
            let partial = files.filter { contents[String($0.key.dropFirst())] != $0.value.content }
            let isMissing = position >= done && files.count != contents.count
            return partial.keys.map { "not whole: \($0)" } + (isMissing ? ["lost"] : [])
        }
        #expect(found.isEmpty, "\(found)")
        withExtendedLifetime(target) {}
    }

    private func record(_ scenario: Scenario) throws -> RecordedUse {
        try RecordedUse(of: .rclone, by: scenario.run)
    }
}
