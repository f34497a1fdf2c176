import CryptFS
import Cryptography
import Foundation
import Linux
import TestSupport
import Testing
import VolumeFormat
import VolumeTransfer

@Suite struct `A transfer` {
    @Test func `leaves nothing of a damaged file, and everything else`() async throws {
        let sandbox = try Sandbox()
        try sandbox.directory.write([UInt8](repeating: 1, count: 200_000), to: "plain/bad")
        try sandbox.directory.write([UInt8](repeating: 2, count: 200_000), to: "plain/cut")
        try sandbox.directory.write([UInt8](repeating: 3, count: 200_000), to: "plain/good")
        try await sandbox.encrypt("plain")
        for entry in try StoredTree(of: sandbox.open(.reading)).entries {
            let path = try Subprocess.run(
                "find",
                [sandbox.directory("storage"), "-inum", "\(entry.status.identity.number)"]
            ).text.trimmingCharacters(in: .newlines)
            if entry.text == "bad" { try damage(path, at: 150_000) }
            if entry.text == "cut" {
                let file = try #require(FileHandle(forUpdatingAtPath: path))
                try file.truncate(atOffset: 20)
                try file.close()
            }
        }
        let report = try await sandbox.decrypt(to: "again")
        #expect(report.files == 1)
        let failures = Dictionary(
            uniqueKeysWithValues: report.failures.map { ($0.path, $0.cause) }
        )
        #expect(
            failures == [
                "bad": .damaged(.blockDamaged(index: 2)),
                "cut": .damaged(.headerTruncated(found: 20)),
            ]
        )
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: sandbox.directory("again"))
                == ["good"]
        )
    }

    @Test func `names what it leaves out`() async throws {
        let sandbox = try Sandbox()
        try sandbox.directory.write("x", to: "plain/file")
        try sandbox.directory.write("x", to: "plain/trap.rclonelink")
        try sandbox.directory.write("x", to: "plain/\(String(repeating: "n", count: 200))")
        #expect(mkfifo(sandbox.directory("plain/pipe"), 0o600) == 0)
        let there = try await sandbox.encrypt("plain")
        #expect(there.files == 1)
        #expect(there.special == ["pipe"])
        let causes = Dictionary(
            uniqueKeysWithValues: there.failures.map { ($0.path.prefix(4), $0.cause) }
        )
        #expect(
            causes == [
                "trap": .reservedName, "nnnn": .name(.name(.tooLong(found: 333))),
            ]
        )
        try sandbox.directory.write("x", to: "storage/stray file")
        try FileManager.default.createDirectory(
            atPath: sandbox.directory("storage/lost+found"),
            withIntermediateDirectories: false
        )
        let back = try await sandbox.decrypt(to: "again")
        #expect(back.files == 1 && back.failures.isEmpty)
        #expect(Set(back.foreign.map(\.path)) == ["stray file", "lost+found"])
    }

    @Test func `does not follow links out of its trees`() async throws {
        let sandbox = try Sandbox()
        try sandbox.directory.write("secret", to: "outside/file")
        try sandbox.directory.write("x", to: "plain/folder/file")
        try await sandbox.encrypt("plain")
        // A folder of the target is exchanged for a link.
        try FileManager.default.createDirectory(
            atPath: sandbox.directory("again"),
            withIntermediateDirectories: false
        )
        try FileManager.default.createSymbolicLink(
            atPath: sandbox.directory("again/folder"),
            withDestinationPath: sandbox.directory("outside")
        )
        let report = try await sandbox.decrypt(to: "again")
        #expect(report.files == 0)
        #expect(!report.failures.isEmpty)
        #expect(try sandbox.directory.read("outside/file") == Array("secret".utf8))
    }

    @Test func `is refused where one folder lies in the other`() async throws {
        let sandbox = try Sandbox()
        try sandbox.directory.write("x", to: "plain/file")
        _ = try sandbox.open(.writing, .required(.rclone(.new())))
        for source in ["", "storage", "storage/."] {
            await #expect(throws: TransferError.self) { try await sandbox.encrypt(source) }
        }
        for target in ["", "storage", "storage/below"] {
            await #expect(throws: TransferError.self) { try await sandbox.decrypt(to: target) }
        }
        try await sandbox.encrypt("plain")
    }
}

@Suite struct `A volume's storage` {
    @Test func `is opened by its own key only, and nothing is changed by another`() async throws {
        let sandbox = try Sandbox()
        try sandbox.directory.write("x", to: "plain/file")
        try await sandbox.encrypt("plain")
        let before = try sandbox.listing("storage")
        let error = #expect(throws: TransferError.self) {
            try sandbox.open(
                .writing,
                .ifEmpty(.rclone(.new())),
                key: SecretBytes(copying: "another".utf8)
            )
        }
        #expect(error?.description.contains("does not decrypt") == true)
        #expect(try sandbox.listing("storage") == before)
    }

    @Test func `becomes a volume once`() throws {
        let sandbox = try Sandbox()
        #expect(throws: TransferError.self) { try sandbox.open(.writing) }
        #expect(try sandbox.open(.writing, .required(.rclone(.new()))).isNew)
        #expect(try !sandbox.open(.writing, .ifEmpty(.rclone(.new()))).isNew)
        let error = #expect(throws: TransferError.self) {
            try sandbox.open(.writing, .required(.rclone(.new())))
        }
        #expect(error?.description.contains("already") == true)
    }

    @Test func `with content and no configuration is left alone`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory.write("x", to: "storage/file")
        #expect(throws: TransferError.self) {
            try sandbox.open(.writing, .ifEmpty(.rclone(.new())))
        }
        #expect(!FileManager.default.fileExists(atPath: sandbox.directory("c.conf")))
    }

    @Test func `has one writer at a time, and any number of readers`() throws {
        let sandbox = try Sandbox()
        let writer = try sandbox.open(.writing, .required(.rclone(.new())))
        #expect(throws: TransferError.self) { try sandbox.open(.writing) }
        _ = try sandbox.open(.reading)
        withExtendedLifetime(writer) {}
    }
}

@Suite(.requires(.root)) struct `A full disk` {
    @Test func `fails what does not fit, leaves nothing half of it, and keeps the rest`()
        async throws
    {
        let sandbox = try Sandbox()
        let storage = sandbox.directory("storage")
        try FileManager.default.createDirectory(
            atPath: storage,
            withIntermediateDirectories: false
        )
        try #require(
            Subprocess.run("mount", ["-t", "tmpfs", "-o", "size=1m", "none", storage]).status == 0
        )
        defer { _ = try? Subprocess.run("umount", ["-l", storage]) }
        try sandbox.directory.write("small", to: "plain/small")
        try await sandbox.encrypt("plain")
        try sandbox.directory.write([UInt8](repeating: 1, count: 3 << 20), to: "plain/small")
        let report = try await sandbox.encrypt("plain")
        #expect(report.files == 0)
        #expect(report.failures.map(\.cause) == [.system(.noSpace)])
        // The old file is whole, and nothing else is there.
        try await sandbox.decrypt(to: "again")
        #expect(try sandbox.directory.read("again/small") == Array("small".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: storage).count == 1)
    }
}
