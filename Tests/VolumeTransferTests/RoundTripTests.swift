import CryptFS
import Foundation
import TestSupport
import Testing
import VolumeFormat
import VolumeTransfer

@Suite struct `A tree` {
    @Test(arguments: NameEncryption.allCases)
    func `comes back as it was`(encryption: NameEncryption) async throws {
        let sandbox = try Sandbox()
        try sandbox.makeTree("plain")
        let there = try await sandbox.encrypt(
            "plain",
            new: .rclone(.new(nameEncryption: encryption))
        )
        #expect(there.failures.isEmpty, "\(there.failures)")
        #expect(there.files == 12 && there.links == 3 && there.directories == 7)
        #expect(there.bytes == 5_293_780)
        let back = try await sandbox.decrypt(to: "again")
        #expect(back.failures.isEmpty, "\(back.failures)")
        #expect(back.files == 12 && back.links == 3 && back.directories == 7)
        #expect(try sandbox.listing("again") == sandbox.listing("plain"))
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
    }

    @Test(.requires(.tool("rclone"))) func `that we encrypted is the same in rclone`() async throws
    {
        let sandbox = try Sandbox()
        try sandbox.makeTree("plain")
        try await sandbox.encrypt("plain")
        try sandbox.rclone("copy", "--links", "encrypted_storage:", "again")
        #expect(
            try sandbox.listing("again", attributes: false)
                == sandbox.listing("plain", attributes: false).filter { $0 != "d empty" }
        )
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
        try sandbox.rclone("check", "--links", "--download", "plain", "encrypted_storage:")
    }

    @Test(.requires(.tool("rclone"))) func `that rclone encrypted is the same here`() async throws {
        let sandbox = try Sandbox()
        try sandbox.makeTree("plain")
        // A volume that exists, with nothing in it.
        _ = try sandbox.open(.writing, .required(.rclone(.new())))
        try sandbox.rclone(
            "copy",
            "--links",
            "--create-empty-src-dirs",
            "plain",
            "encrypted_storage:"
        )
        let report = try await sandbox.decrypt(to: "again")
        #expect(report.failures.isEmpty, "\(report.failures)")
        #expect(
            try sandbox.listing("again", attributes: false)
                == sandbox.listing("plain", attributes: false)
        )
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
    }

    @Test func `of one file is that file`() async throws {
        let sandbox = try Sandbox()
        try sandbox.directory.write("content", to: "plain/only.txt")
        let report = try await sandbox.encrypt("plain/only.txt")
        #expect(report.files == 1 && report.directories == 0)
        try await sandbox.decrypt(to: "again")
        #expect(try sandbox.directory.read("again/only.txt") == Array("content".utf8))
    }

    @Test func `is listed and printed`() async throws {
        let sandbox = try Sandbox()
        try sandbox.makeTree("plain")
        try await sandbox.encrypt("plain")
        try sandbox.directory.write("x", to: "storage/README.md")
        let volume = try sandbox.open(.reading)
        let top = try StoredTree(of: volume, isRecursive: false)
        #expect(
            Set(top.entries.map(\.text))
                == ["sizes", "top.txt", "a", "Grüße", ".hidden", "empty", "link"]
        )
        #expect(top.foreign.map(\.path) == ["README.md"])
        let below = try StoredTree(of: volume, at: [Array("a".utf8)])
        #expect(
            Set(below.entries.map(\.text))
                == ["a/b", "a/b/c", "a/b/c/run", "a/dangling", "a/folder"]
        )

        var content: [UInt8] = []
        try volume.read(["sizes", "1048577"].map { Array($0.utf8) }) { content += $0 }
        #expect(try content == sandbox.directory.read("plain/sizes/1048577"))
        for (path, expected) in [
            ("nothing", "nothing called nothing in the volume"), ("a", "a is not a file"),
            ("link", "link is not a file"), ("a/nothing", "nothing called a/nothing in the volume"),
            ("top.txt/x", "nothing called top.txt/x in the volume"),
        ] {
            let error = #expect(throws: TransferError.self) {
                try volume.read(path.split(separator: "/").map { Array($0.utf8) }) { _ in }
            }
            #expect(error?.description == expected)
        }
    }
}
