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
        let record = try Record(of: scenario)
        let (states, found) = try record.log.visit { image, position in
            record.promised.faults(
                in: try record.reader.tree(image),
                at: position,
                areReplacedWhole: true
            )
        }
        #expect(found.isEmpty, "\(states) states: \(found.sorted().joined(separator: "\n"))")
        #expect(states > 50)
    }

    /// The negative control: of a storage that was never told to synchronise, nothing is promised.
    @Test(arguments: [Scenario.overwriting, .beginningEmpty])
    func `without synchronising below, what was promised would be unreadable`(
        scenario: Scenario
    ) throws {
        let record = try Record(of: scenario)
        let log = record.log.filter {
            if case .synchronize = $0.kind { return false }
            return true
        }
        let (_, found) = try log.visit { image, position in
            record.promised.faults(
                in: try record.reader.tree(image),
                at: position,
                areReplacedWhole: true
            )
        }
        #expect(found.contains { $0.contains("unreadable") }, "\(found)")
    }

    @Test func `a symbolic link in a synchronised directory leads where it led`() throws {
        let storage = try RecordedStorage()
        let volume = try MountedVolume(storage: storage.path, format: .rclone)
        let start = storage.position
        try #require(symlink("first target", volume("first")) == 0)
        try #require(symlink("second target", volume("second")) == 0)
        let directory = open(volume.mountPoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try #require(directory >= 0 && fsync(directory) == 0)
        close(directory)
        let done = storage.position
        try Data("more".utf8).write(to: URL(fileURLWithPath: volume("file")))
        try volume.unmount()
        let reader = try RcloneImageReader(
            configuration: volume.configuration,
            key: MountedVolume.key
        )
        let log = StorageLog(operations: try storage.operations(), start: start)
        let (_, found) = try log.visit { image, position in
            guard position >= done else { return [] }
            let files = try reader.tree(image).files
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

    /// A scenario that was played, and what was done to the storage meanwhile.
    private struct Record {
        let log: StorageLog
        let promised: PromisedFiles
        let reader: RcloneImageReader

        init(of scenario: Scenario) throws {
            let storage = try RecordedStorage()
            let volume = try MountedVolume(storage: storage.path, format: .rclone)
            let start = storage.position
            var program = Program(volume, on: storage)
            try scenario.run(&program)
            try volume.unmount()
            promised = program.promised
            log = StorageLog(operations: try storage.operations(), start: start)
            reader = try RcloneImageReader(
                configuration: volume.configuration,
                key: MountedVolume.key
            )
        }
    }
}
