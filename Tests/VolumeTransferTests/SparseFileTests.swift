import CryptFS
import Foundation
import Glibc
import Linux
import TestSupport
import Testing
import VolumeFormat
import VolumeTransfer

@Suite struct `A sparse file` {
    private let sandbox: Sandbox

    /// Pieces of content, and a length: holes at the beginning, in between, at the end and everywhere; pieces
    /// within a block and over several; more of both than is transferred at once.
    private static let layouts:
        [(name: String, content: [(at: UInt64, count: Int)], size: UInt64)] = [
            ("dense", [(0, 100_000)], 100_000),
            ("beginning", [(3 << 20, 5000)], 3 << 20 + 5000),
            ("middle", [(0, 10), (5 << 20, 2 << 20)], 7 << 20),
            ("end", [(0, 4096)], 9 << 20 + 77),
            ("nothing", [], 6 << 20 + 1),
            ("nothing, whole blocks", [], 6 << 20),
            ("one byte", [(4_500_001, 1)], 8 << 20),
            ("comb", (0..<200).map { (UInt64($0) * 16384, 4096) }, 200 * 16384),
            ("small", [], 4097),
        ]

    init() throws {
        sandbox = try Sandbox()
        for layout in Self.layouts {
            try sandbox.directory.write([], to: "plain/\(layout.name)")
            let file = try FileHandle(
                forWritingTo: URL(fileURLWithPath: sandbox.directory("plain/\(layout.name)"))
            )
            try file.truncate(atOffset: layout.size)
            for (offset, count) in layout.content {
                try file.seek(toOffset: offset)
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 | 1) }
                try file.write(contentsOf: bytes)
            }
            try file.synchronize()
            try file.close()
        }
        try #require(room("plain/nothing") == 0, "the file system below has no holes")
    }

    private func gocryptfs(_ cipher: GocryptfsCipher) -> NewVolume {
        .gocryptfs(.init(cipher: cipher, names: .plaintext, scryptExponent: 10))
    }

    /// What a file takes on the disk, in bytes.
    private func room(_ path: String) throws -> UInt64 {
        try FileStatus(path: sandbox.directory(path)).blocks * 512
    }

    /// Each end of a run may take one more block of the disk, since a stored one is longer, and the header
    /// and the last block are always there.
    private func isAsSparse(_ path: String, as layout: Int, isStored: Bool = false) throws -> Bool {
        let layout = Self.layouts[layout]
        let count = layout.content.reduce(0) { $0 + $1.count }
        let slack = isStored ? count / 64 + (layout.content.count * 2 + 4) * 4096 : 4096
        return try room("\(path)/\(layout.name)") <= room("plain/\(layout.name)") + UInt64(slack)
    }

    @Test(arguments: [GocryptfsCipher.aesGCM, .xchacha20Poly1305])
    func `stays one in a volume of gocryptfs's format, and comes back as one`(
        cipher: GocryptfsCipher
    ) async throws {
        let there = try await sandbox.encrypt("plain", new: gocryptfs(cipher))
        #expect(there.failures.isEmpty && there.files == Self.layouts.count)
        #expect(there.withoutHoles == 0)
        let check = try await VolumeCheck(of: sandbox.open(.reading), width: 2).run()
        #expect(check.failures.isEmpty && check.files == Self.layouts.count)
        let back = try await sandbox.decrypt(to: "again")
        #expect(back.failures.isEmpty && back.bytes == there.bytes)
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
        for layout in Self.layouts.indices {
            #expect(try isAsSparse("storage", as: layout, isStored: true), "\(layout)")
            #expect(try isAsSparse("again", as: layout), "\(layout)")
        }
    }

    @Test func `stays one from volume to volume, unless one is of rclone's format`() async throws {
        try await sandbox.encrypt("plain", new: gocryptfs(.aesGCM))
        let source = try sandbox.open(.reading)
        let volumes: [(String, NewVolume)] = [
            ("same", gocryptfs(.xchacha20Poly1305)),
            ("rclone", try .rclone(.new(nameEncryption: .off))),
        ]
        for (name, new) in volumes {
            let target = try open(name, new)
            let report = try await Migration(of: source, into: target, width: 2).run()
            #expect(report.failures.isEmpty && report.files == Self.layouts.count)
            #expect(report.withoutHoles == (name == "same" ? 0 : Self.layouts.count - 1))
            let back = try await Decryption(
                of: target,
                into: sandbox.directory("\(name) again"),
                width: 2
            ).run()
            #expect(back.failures.isEmpty)
            #expect(try sandbox.contents("\(name) again") == sandbox.contents("plain"))
        }
        for layout in Self.layouts.indices {
            #expect(try isAsSparse("same", as: layout, isStored: true))
            #expect(try isAsSparse("same again", as: layout))
        }
        // Nothing is guessed: zeros that were stored are content, also further on.
        #expect(try room("rclone again/nothing") >= 6 << 20)
        let rclone = try open("rclone", nil)
        let third = try open("third", gocryptfs(.aesGCM))
        let report = try await Migration(of: rclone, into: third, width: 2).run()
        #expect(report.failures.isEmpty && report.withoutHoles == 0)
        #expect(try room("third/nothing") >= 6 << 20)
    }

    @Test func `is passed over when it is there, and replaced when its number is not right`()
        async throws
    {
        try await sandbox.encrypt("plain", new: gocryptfs(.aesGCM))
        let second = try await sandbox.encrypt("plain")
        #expect(second.files == 0 && second.unchanged == Self.layouts.count)
        // The first piece is a hole, which would open under any number.
        try damage(sandbox.directory("storage/beginning"), at: 7, keepingTime: true)
        let third = try await sandbox.encrypt("plain")
        #expect(third.files == 1 && third.unchanged == Self.layouts.count - 1)
        try await sandbox.decrypt(to: "again")
        #expect(try sandbox.contents("again") == sandbox.contents("plain"))
    }

    @Test func `that the kernel says is empty, and is not, is not taken for empty`() async throws {
        try sandbox.directory.write("x", to: "other/file")
        try FileManager.default.removeItem(atPath: sandbox.directory("plain"))
        // Files of /proc are of no length, and have content.
        let volume = try open("storage", gocryptfs(.aesGCM))
        let report = try await Encryption(of: "/proc/self/status", into: volume, width: 1).run()
        #expect(report.failures.map(\.cause) == [.changed])
    }

    private func open(_ name: String, _ new: NewVolume?) throws -> StoredVolume {
        try StoredVolume(
            VolumeLocation(
                storage: sandbox.directory(name),
                configuration: sandbox.directory("\(name).conf")
            ),
            key: Sandbox.key,
            access: new == nil ? .reading : .writing,
            creation: new.map { .required($0) } ?? .never
        )
    }
}
