import CryptFS
import Cryptography
import Foundation
import TestSupport
import Testing
import VolumeFormat
import VolumeTransfer

/// The power goes while a volume is made, gets another key, or is filled.
@Suite(.requires(.fuse))
struct PowerLossVolumeTests {
    private let key = SecretBytes(copying: MountedVolume.key.utf8)

    @Test func `a new volume is one, or can be made`() throws {
        let storage = try RecordedStorage()
        try MountedVolume(storage: storage.path, format: .gocryptfs).unmount()
        let log = StorageLog(operations: try storage.operations(), start: 0)
        let directory = try TemporaryDirectory(in: "/dev/shm")
        var number = 0
        var made = 0
        let (states, found) = try log.visit(states: LongTests.areRun ? 100 : 3) { image, _ in
            number += 1
            let path = directory("\(number)")
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false
            )
            defer { try? FileManager.default.removeItem(atPath: path) }
            try image.write(to: path)
            let volume = try Volume.open(
                VolumeLocation(storage: path),
                key: key,
                options: VolumeOptions(createsIfEmpty: true, keyIsGenerated: true)
            )
            if volume.isNew { made += 1 }
            let tree = try ImageReader(of: path).tree(StorageImage(reading: path))
            return tree.closed.isEmpty ? [] : ["without a name's bytes"]
        }
        #expect(found.isEmpty)
        #expect(made > 0 && made < states)
    }

    @Test func `a key that is changed is the old or the new one, and then the new one`() throws {
        let storage = try RecordedStorage()
        try MountedVolume(storage: storage.path, format: .gocryptfs).unmount()
        let start = storage.position
        _ = try KeyChange(VolumeLocation(storage: storage.path)).change(
            from: key,
            to: SecretBytes(copying: "another".utf8),
            scryptExponent: GocryptfsScrypt.exponents.lowerBound
        )
        let done = storage.position
        let log = StorageLog(operations: try storage.operations(), start: start)
        let (_, found) = try log.visit(states: LongTests.areRun ? 100 : 3) { image, position in
            guard case .file(let number) = image.entries["/gocryptfs.conf"] else {
                return ["no configuration"]
            }
            let keys = [MountedVolume.key, "another"].filter {
                let content = image.contents[number] ?? []
                return (try? ImageReader(configuration: content, key: $0)) != nil
            }
            guard keys.count == 1 else { return ["not one key"] }
            return position >= done && keys != ["another"] ? ["the old key is back"] : []
        }
        #expect(found.isEmpty, "\(found)")
    }

    @Test(arguments: [false, true])
    func `what is encrypted or migrated has its name when it is whole, and stays`(
        isMigrated: Bool
    ) async throws {
        let folder = try TemporaryDirectory(in: "/dev/shm")
        let contents: [String: [UInt8]] = [
            "first": (0..<9000).map { UInt8(truncatingIfNeeded: $0) },
            "folder/" + String(repeating: "n", count: 200): Array("long".utf8),
        ]
        for (name, content) in contents { try folder.write(content, to: "plain/" + name) }
        let kind = NewVolume.gocryptfs(
            NewVolume.Gocryptfs(cipher: .aesGCM, names: .encrypted(.init()), scryptExponent: 10)
        )
        let storage = try RecordedStorage()
        let target = try StoredVolume(
            VolumeLocation(storage: storage.path),
            key: key,
            access: .writing,
            creation: .required(kind)
        )
        let start = storage.position
        if isMigrated {
            let source = try StoredVolume(
                VolumeLocation(storage: folder("source")),
                key: key,
                access: .writing,
                creation: .required(kind)
            )
            _ = try await Encryption(of: folder("plain"), into: source, width: 1).run()
            _ = try await Migration(of: source, into: target, width: 2).run()
        } else {
            _ = try await Encryption(of: folder("plain"), into: target, width: 2).run()
        }
        let done = storage.position
        let reader = try ImageReader(of: storage.backing)
        let log = StorageLog(operations: try storage.operations(), start: start)
        let (_, found) = try log.visit { image, position in
            let tree = try reader.tree(image)
            let partial = tree.files.filter {
                contents[String($0.key.dropFirst())] != $0.value.content
            }
            let isMissing = position >= done && tree.files.count != contents.count
            return partial.keys.map { "not whole: \($0.prefix(20))" }
                + (isMissing ? ["lost"] : []) + tree.closed.map { "closed: \($0)" }
        }
        #expect(found.isEmpty, "\(found)")
        withExtendedLifetime(target) {}
    }
}
