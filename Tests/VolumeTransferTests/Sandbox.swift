import CryptFS
import Cryptography
import Foundation
import TestSupport
import Testing
import VolumeFormat
import VolumeTransfer

/// A volume, a plain folder and rclone in a directory of a test's own.
struct Sandbox {
    static let key = SecretBytes(copying: "the key".utf8)

    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    func open(
        _ access: StoredVolume.Access,
        _ creation: StoredVolume.Creation = .never,
        key: SecretBytes = key
    ) throws -> StoredVolume {
        try StoredVolume(
            VolumeLocation(storage: directory("storage"), configuration: directory("c.conf")),
            key: key,
            access: access,
            creation: creation
        )
    }

    @discardableResult
    func encrypt(
        _ source: String,
        progress: TransferProgress = TransferProgress(),
        new: NewVolume? = nil
    ) async throws -> TransferReport {
        let volume = try open(.writing, .ifEmpty(new ?? .rclone(.new())))
        return try await Encryption(
            of: directory(source),
            into: volume,
            width: 3,
            progress: progress
        ).run()
    }

    @discardableResult
    func decrypt(
        to target: String,
        progress: TransferProgress = TransferProgress()
    ) async throws -> TransferReport {
        try await Decryption(
            of: open(.reading),
            into: directory(target),
            width: 3,
            progress: progress
        ).run()
    }

    @discardableResult
    func rclone(_ arguments: String...) throws -> Subprocess.Output {
        let output = try Subprocess.run(
            "rclone",
            ["--config", directory("c.conf")] + arguments,
            environment: [
                "PATH": "/usr/bin:/bin", "HOME": directory.path, "RCLONE_CONFIG_PASS": "the key",
            ],
            directory: directory.path
        )
        #expect(output.status == 0, "rclone \(arguments): \(output.errorText)")
        return output
    }

    /// A tree with a bit of everything that can be kept.
    func makeTree(_ name: String) throws {
        let sizes = [0, 1, 65_535, 65_536, 65_537, 1_048_576, 1_048_577, 3_000_000]
        for size in sizes {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size &+ $0 >> 8) }
            try directory.write(bytes, to: "\(name)/sizes/\(size)")
        }
        try directory.write("one", to: "\(name)/top.txt", mode: 0o640)
        try directory.write("#!/bin/sh\n", to: "\(name)/a/b/c/run", mode: 0o755)
        try directory.write("ü", to: "\(name)/Grüße/日本 語.txt", mode: 0o400)
        try directory.write("dot", to: "\(name)/.hidden/.file")
        let files = FileManager.default
        try files.createDirectory(
            atPath: directory("\(name)/empty"),
            withIntermediateDirectories: true
        )
        try files.createSymbolicLink(
            atPath: directory("\(name)/link"),
            withDestinationPath: "a/b/c/run"
        )
        try files.createSymbolicLink(
            atPath: directory("\(name)/a/dangling"),
            withDestinationPath: "/nowhere/é"
        )
        try files.createSymbolicLink(
            atPath: directory("\(name)/a/folder"),
            withDestinationPath: "../sizes"
        )
        let moment = Date(timeIntervalSince1970: 1_600_000_000.25)
        for path in ["top.txt", "a/b/c/run", "sizes/65537"] {
            try files.setAttributes(
                [.modificationDate: moment],
                ofItemAtPath: directory("\(name)/\(path)")
            )
        }
        try files.setAttributes(
            [.posixPermissions: 0o750, .modificationDate: moment],
            ofItemAtPath: directory("\(name)/a/b")
        )
    }

    /// Everything about a tree that is to survive, one line an entry.
    func listing(_ name: String, attributes: Bool = true) throws -> [String] {
        let format = attributes ? "%y %m %P %l %s %T@\\n" : "%y %P %l\\n"
        let listing = try Subprocess.run(
            "find",
            [
                directory(name), "-mindepth", "1", "(", "-type", "d", "-printf",
                // A directory's size is its file system's business.
                attributes ? "%y %m %P %T@\\n" : "%y %P\\n", ")", "-o", "-printf", format,
            ]
        )
        #expect(listing.status == 0)
        return listing.text.split(separator: "\n").map(String.init).sorted()
    }

    func contents(_ name: String) throws -> String {
        let sums = try Subprocess.run(
            "sh",
            ["-c", "find . -type f -print0 | sort -z | xargs -0 sha256sum"],
            directory: directory(name)
        )
        #expect(sums.status == 0)
        return sums.text
    }
}
