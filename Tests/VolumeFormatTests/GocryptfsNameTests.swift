import Cryptography
import Testing
import VolumeFormat

@Suite struct `Names of gocryptfs volumes` {
    private func names(
        _ scheme: GocryptfsNameScheme = .encrypted(.init())
    ) throws -> GocryptfsNames {
        let keys = try GocryptfsKeys(.random(), cipher: .aesGCM)
        return try GocryptfsNames(keys: keys, scheme: scheme)
    }

    private func name(_ count: Int) -> [UInt8] { VolumeFile.sample(count).map { $0 | 0x80 } }

    static let schemes: [GocryptfsNameScheme] = [
        .plaintext, .encrypted(.init()), .encrypted(.init(hasDirectoryIVs: false)),
        .encrypted(.init(longNameMax: 62)), .encrypted(.init(isPadded: true)),
    ]

    @Test(arguments: schemes)
    func `of every length come back, and fit an entry`(scheme: GocryptfsNameScheme) throws {
        let names = try names(scheme)
        let iv = GocryptfsDirectoryIV.random()
        for count in 1...255 {
            let stored = try names.store(name(count), in: iv)
            #expect(stored.entry.count <= 255)
            #expect(try names.name(of: stored, in: iv) == name(count))
            var entry = [UInt8](repeating: 0, count: GocryptfsNames.textCapacity)
            let (length, isLong) = try name(count).withUnsafeBytes { name in
                try entry.withUnsafeMutableBytes { try names.entry(for: name, in: iv, into: $0) }
            }
            #expect(Array(entry[..<length]) == stored.entry)
            #expect(isLong == (stored.longText != nil))
        }
        #expect(throws: VolumeFormatError.name(.tooLong(found: 256))) {
            try names.store(name(256), in: iv)
        }
    }

    @Test func `that are long by one are hashed`() throws {
        for (maximum, longest) in [(255, 175), (100, 63), (62, 31)] {
            let names = try names(.encrypted(.init(longNameMax: maximum)))
            #expect(try names.store(name(longest), in: .deterministic).longText == nil)
            let stored = try names.store(name(longest + 1), in: .deterministic)
            #expect(stored.longText != nil)
            #expect(stored.entry.count == 62)
            #expect(stored.entry.starts(with: "gocryptfs.longname.".utf8))
        }
        let names = try names(.encrypted(.init(longNameMax: nil)))
        #expect(throws: VolumeFormatError.name(.tooLong(found: 256))) {
            try names.store(name(176), in: .deterministic)
        }
    }

    @Test func `look different in every directory, unless they are deterministic`() throws {
        let names = try names()
        let first = try names.store(name(5), in: .random())
        #expect(try names.store(name(5), in: .random()) != first)
        #expect(
            try names.store(name(5), in: .deterministic) == names.store(name(5), in: .deterministic)
        )
    }

    @Test(arguments: schemes)
    func `that no file can have are refused`(scheme: GocryptfsNameScheme) throws {
        let names = try names(scheme)
        for name in ["", ".", "..", "a/b", "a\0"] {
            #expect(throws: VolumeFormatError.name(.notPermitted)) {
                try names.store(Array(name.utf8), in: .deterministic)
            }
        }
    }

    @Test func `that are none of the volume's are refused`() throws {
        let names = try names()
        let iv = GocryptfsDirectoryIV.random()
        let stored = try names.store(name(20), in: iv).entry
        func fault(_ entry: [UInt8], _ iv: GocryptfsDirectoryIV) -> NameFault? {
            do throws(VolumeFormatError) {
                _ = try names.name(of: GocryptfsStoredName(entry: entry, longText: nil), in: iv)
                return nil
            } catch .name(let fault) {
                return fault
            } catch {
                Issue.record("\(error)")
                return nil
            }
        }
        #expect(fault(stored, iv) == nil)
        // Another directory's bytes, or a changed character, give noise; one in 256 noises has
        // padding of one byte.
        let others = (0..<20).compactMap { _ in fault(stored, .random()) }
        #expect(others.count >= 10)
        #expect(fault(Array("notes.txt".utf8), iv) == .notEncoded)
        #expect(fault(stored + [0x3d], iv) == .notEncoded)
        #expect(fault(stored + [0x0a], iv) == .notEncoded)
        #expect(fault(Array(stored.dropLast(3)), iv) == .notBlocks(found: 30))
        #expect(fault([], iv) == .notBlocks(found: 0))
        // The last character carries bits that decode to nothing.
        #expect(fault(stored.dropLast() + [stored.last! + 1], iv) == .notEncoded)
        let padded = try self.names(.encrypted(.init(isPadded: true)))
        #expect(throws: VolumeFormatError.name(.notEncoded)) {
            try padded.name(of: GocryptfsStoredName(entry: stored, longText: nil), in: iv)
        }
    }

    @Test func `long ones are held to their entry`() throws {
        let names = try names()
        let iv = GocryptfsDirectoryIV.random()
        let first = try names.store(name(200), in: iv)
        let second = try names.store(name(201), in: iv)
        func read(_ entry: [UInt8], _ text: [UInt8]?) throws -> [UInt8] {
            try names.name(of: GocryptfsStoredName(entry: entry, longText: text), in: iv)
        }
        #expect(try read(first.entry, first.longText) == name(200))
        #expect(throws: VolumeFormatError.name(.notOfThisEntry)) {
            try read(first.entry, second.longText)
        }
        #expect(throws: VolumeFormatError.name(.notOfThisEntry)) { try read(first.entry, []) }
        let long = [UInt8](repeating: 0x41, count: 345)
        #expect(throws: VolumeFormatError.name(.tooLong(found: 345))) {
            try read(first.entry, long)
        }
        // A name that is not long, in a file beside an entry that is its hash all the same.
        let short = try names.store(name(3), in: iv).entry
        var entry = [UInt8](repeating: 0, count: 64)
        let count = short.withUnsafeBytes { text in
            entry.withUnsafeMutableBytes { names.longEntry(of: text, into: $0) }
        }
        #expect(throws: VolumeFormatError.name(.notCanonical)) {
            try read(Array(entry[..<count]), short)
        }
        // And a long name in an entry, where a volume allows no more than 62 bytes.
        let strict = try self.names(.encrypted(.init(longNameMax: 62)))
        #expect(throws: VolumeFormatError.name(.notCanonical)) {
            try strict.name(of: GocryptfsStoredName(entry: long, longText: nil), in: iv)
        }
    }

    @Test func `tell what an entry is`() throws {
        func kind(
            _ entry: String,
            _ names: GocryptfsNames,
            isRoot: Bool = false
        ) -> GocryptfsEntryKind {
            Array(entry.utf8).withUnsafeBytes { names.kind(of: $0, isRoot: isRoot) }
        }
        let names = try names()
        #expect(kind("gocryptfs.conf", names, isRoot: true) == .configuration)
        #expect(kind("gocryptfs.conf", names) == .name)
        #expect(kind("gocryptfs.diriv", names) == .directoryIV)
        #expect(kind("gocryptfs.longname.x", names) == .longContent)
        #expect(kind("gocryptfs.longname.x.name", names) == .longName)
        #expect(kind("abc", names) == .name)
        let plaintext = try self.names(.plaintext)
        #expect(kind("gocryptfs.conf", plaintext, isRoot: true) == .configuration)
        #expect(kind("gocryptfs.diriv", plaintext) == .name)
        #expect(kind("gocryptfs.longname.x", plaintext) == .name)
        let deterministic = try self.names(.encrypted(.init(hasDirectoryIVs: false)))
        #expect(kind("gocryptfs.diriv", deterministic) == .name)
    }

    @Test func `directory bytes that were never written, or not whole, are refused`() {
        for count in [0, 15, 17] {
            #expect(throws: VolumeFormatError.directoryIVInvalid(found: count)) {
                try [UInt8](repeating: 1, count: count).withUnsafeBytes {
                    try GocryptfsDirectoryIV(parsing: $0)
                }
            }
        }
        #expect(throws: VolumeFormatError.directoryIVInvalid(found: 16)) {
            try [UInt8](repeating: 0, count: 16).withUnsafeBytes {
                try GocryptfsDirectoryIV(parsing: $0)
            }
        }
    }

    @Test func `of attributes come back; others are left alone`() throws {
        let names = try names()
        for text in ["user.a", "security.capability", "user." + String(repeating: "x", count: 250)]
        {
            let stored = try names.encryptAttributeName(Array(text.utf8))
            #expect(stored.starts(with: "user.gocryptfs.".utf8))
            #expect(try names.decryptAttributeName(stored) == Array(text.utf8))
        }
        #expect(try names.decryptAttributeName(Array("user.other".utf8)) == nil)
        #expect(throws: VolumeFormatError.name(.notEncoded)) {
            try names.decryptAttributeName(Array("user.gocryptfs.!".utf8))
        }
    }
}
