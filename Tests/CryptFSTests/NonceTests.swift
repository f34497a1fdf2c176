import Cryptography
import Foundation
import Linux
import TestSupport
import Testing
import VolumeFormat

@testable import CryptFS

/// No nonce is used twice with different content: not in stored files, not in drafts, whatever is
/// done to a file and whatever fails.
@Suite
struct NonceTests {
    @Test(arguments: 0..<6)
    func `no block is sealed twice with different content`(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let storage = try makeStorage(in: directory)
        let subject = try Subject(storage)
        var rng = SplitMix(state: seed)
        var record = SealRecord()
        var model: [UInt8] = []
        let scratch = try Scratch()
        for _ in 0..<150 {
            let operation = Int.random(in: 0..<10, using: &rng)
            let offset =
                [
                    65_536 * Int.random(in: 0..<6, using: &rng),
                    Int.random(in: 0..<400_000, using: &rng),
                    model.count,
                ].randomElement(using: &rng) ?? 0
            switch operation {
            case 0..<6:
                let count = [65_536, 131_072, 100, 5000, 200_000].randomElement(using: &rng) ?? 1
                let byte = UInt8.random(in: 0...255, using: &rng)
                let bytes = [UInt8](repeating: byte, count: count)
                try bytes.withUnsafeBytes { bytes in
                    try subject.file.write(bytes, at: UInt64(offset), scratch: scratch)
                }
                if offset > model.count {
                    model += [UInt8](repeating: 0, count: offset - model.count)
                }
                model.replaceSubrange(
                    offset..<min(model.count, offset + count),
                    with: bytes
                )
            case 6:
                let size = Bool.random(using: &rng) ? 0 : offset
                try subject.file.truncate(to: UInt64(size), scratch: scratch)
                model =
                    Array(model.prefix(size))
                    + [UInt8](repeating: 0, count: max(0, size - model.count))
            case 7:
                // A storing that fails at its very end.
                subject.place.fails = true
                #expect(throws: Errno.self) {
                    try subject.file.truncate(to: UInt64(model.count + 1), scratch: scratch)
                    try subject.file.commit(
                        durably: false,
                        to: subject.place,
                        scratch: scratch
                    )
                }
                subject.place.fails = false
                model.append(0)
            default:
                try subject.file.commit(durably: false, to: subject.place, scratch: scratch)
            }
            try record.look(at: directory("storage"))
            #expect(subject.file.size == UInt64(model.count))
            let found = try subject.read(scratch)
            #expect(found == model)
        }
        #expect(record.reused.isEmpty)
        #expect(record.blocks > 100, "nothing was seen")
    }

    @Test func `the record notices a nonce that is used twice`() throws {
        let directory = try TemporaryDirectory()
        let storage = try makeStorage(in: directory)
        let draft = try storage.makeDraft()
        let scratch = try Scratch()
        var record = SealRecord()
        for byte: UInt8 in [1, 2] {
            let block = [UInt8](repeating: byte, count: 100)
            try block.withUnsafeBytes { block in
                try draft.file.seal(blocksFrom: 0, block, sealed: scratch.sealed)
            }
            try record.look(at: directory("storage"))
        }
        #expect(record.reused.count == 1)
    }

    @Test func `staged pages are sealed under a nonce each and bound to their place`() throws {
        let directory = try TemporaryDirectory()
        let descriptor = try FileCall.open(
            path: directory.write("", to: "staging"),
            .readWrite
        )
        let number = descriptor.rawValue
        let staging = StagingFile(descriptor)
        let scratch = try Scratch()
        let pages = [UInt8](repeating: 7, count: 2 * StagingFile.pageCount)
        var counters: Set<[UInt8]> = []
        for _ in 0..<3 {
            try pages.withUnsafeBytes { pages in
                try staging.write(pagesFrom: 4, pages, sealed: scratch.sealed)
            }
            let cells = Array(try directory.read("staging")[(4 * 4120)...])
            #expect(cells.count == 2 * 4120)
            counters.insert(Array(cells[0..<8]))
            counters.insert(Array(cells[4120..<4128]))
            #expect(!cells.contains(Array(repeating: 7, count: 16)))
        }
        #expect(counters.count == 6)
        try staging.read(
            pagesFrom: 4,
            into: UnsafeMutableRawBufferPointer(rebasing: scratch.plain[..<8192]),
            sealed: scratch.sealed
        )
        #expect(scratch.plain[..<8192].allSatisfy { $0 == 7 })
        // A page at another's place does not authenticate.
        let cells = try directory.read("staging")
        try cells[(4 * 4120)..<(5 * 4120)].withUnsafeBytes { cell in
            try FileCall.write(number, at: 5 * 4120, cell)
        }
        #expect(throws: Errno.inputOutput) {
            try staging.read(
                pagesFrom: 5,
                into: UnsafeMutableRawBufferPointer(rebasing: scratch.plain[..<4096]),
                sealed: scratch.sealed
            )
        }
    }

    private func makeStorage(in directory: TemporaryDirectory) throws -> RcloneStorage {
        try FileManager.default.createDirectory(
            atPath: directory("storage"),
            withIntermediateDirectories: false
        )
        let keys = try RcloneKeys(password: SecretBytes(copying: "pw".utf8), salt: nil)
        let names = try RcloneNames(
            keys: keys,
            encryption: .standard,
            encoding: .base32,
            directoryNames: true
        )
        return try RcloneStorage(
            root: try FileCall.open(path: directory("storage"), [.readOnly, .directory]),
            keys: keys,
            names: names
        )
    }
}

/// One file and a place that can be made to fail.
private final class Subject {
    let file: RcloneFile
    let place: Place

    final class Place: ContentPlace {
        let root: Int32
        let name: FileName
        var fails = false

        init(root: Int32, name: FileName) {
            self.root = root
            self.name = name
        }

        func replace(
            _ body: (Int32, FileName) throws(Errno) -> FileIdentity
        ) throws(Errno) -> Bool {
            if fails { throw .noSpace }
            _ = try body(root, name)
            return true
        }

        func synchronizeDirectory() {}
    }

    init(_ storage: RcloneStorage) throws {
        let root = try storage.root.duplicate()
        let number = root.rawValue
        let directory = RcloneStorage.Directory(root, context: NoNameContext())
        let name = try storage.storedName(of: Array("f".utf8), .file, in: directory)
        file = try storage.createContent(
            named: name,
            in: directory,
            Ownership(user: getuid(), group: getgid(), mode: 0o600)
        )
        place = Place(root: storage.root.rawValue, name: name)
        _ = number
    }

    func read(_ scratch: Scratch) throws -> [UInt8] {
        var content: [UInt8] = []
        while content.count < file.size {
            content += try file.read(
                at: UInt64(content.count),
                count: Scratch.requestLimit,
                scratch: scratch
            )
        }
        return content
    }
}

/// What was ever seen in a storage: for every nonce and index one ciphertext.
private struct SealRecord {
    private var seen: [Data: Data] = [:]
    private(set) var reused: Set<Data> = []
    var blocks: Int { seen.count }

    mutating func look(at storage: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: storage) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: storage + "/" + name))
            guard bytes.count > 32 else { continue }
            var offset = 32
            while offset < bytes.count {
                let end = min(offset + 65_552, bytes.count)
                // A hole of a draft that is not filled yet.
                let block = bytes[offset..<end]
                if block.contains(where: { $0 != 0 }) {
                    note(bytes[8..<32] + Data("\(offset)".utf8), Data(block))
                }
                offset = end
            }
        }
    }

    private mutating func note(_ nonce: Data, _ ciphertext: Data) {
        if let former = seen.updateValue(ciphertext, forKey: nonce), former != ciphertext {
            reused.insert(nonce)
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

extension [UInt8] {
    fileprivate func contains(_ other: [UInt8]) -> Bool {
        guard count >= other.count else { return false }
        return indices.dropLast(other.count - 1).contains { start in
            self[start..<start + other.count].elementsEqual(other)
        }
    }
}
