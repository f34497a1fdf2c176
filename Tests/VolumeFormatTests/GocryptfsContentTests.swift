import Cryptography
import TestSupport
import Testing
import VolumeFormat

import class Foundation.ProcessInfo

@Suite struct `Sizes of gocryptfs files` {
    @Test(arguments: GocryptfsCipher.allCases)
    func `follow from content and back`(cipher: GocryptfsCipher) throws {
        let geometry = GocryptfsGeometry(cipher)
        let sealed = UInt64(4096 + cipher.overhead)
        #expect(try geometry.storedCount(forPlaintext: 0) == 0)
        for (plain, stored) in [
            (1, 18 + UInt64(cipher.overhead) + 1), (4095, 18 + sealed - 1), (4096, 18 + sealed),
            (4097, 18 + sealed + UInt64(cipher.overhead) + 1), (8192, 18 + 2 * sealed),
            (UInt64(1) << 40, 18 + sealed << 28),
        ] as [(UInt64, UInt64)] {
            let expected = plain == 1 << 40 ? 18 + sealed * (1 << 28) : stored
            #expect(try geometry.storedCount(forPlaintext: plain) == expected)
            #expect(try geometry.plaintextCount(forStored: expected) == plain)
            #expect(geometry.shownCount(forStored: expected) == plain)
        }
        #expect(try geometry.offset(ofBlock: 3) == 18 + 3 * sealed)
        #expect(GocryptfsGeometry.block(at: 4095) == (0, 4095))
        #expect(GocryptfsGeometry.block(at: 8193) == (2, 1))
    }

    @Test(arguments: GocryptfsCipher.allCases)
    func `that no file has are refused, and shown as gocryptfs shows them`(
        cipher: GocryptfsCipher
    ) throws {
        let geometry = GocryptfsGeometry(cipher)
        for stored in [1, 17] as [UInt64] {
            #expect(throws: VolumeFormatError.headerTruncated(found: stored)) {
                try geometry.plaintextCount(forStored: stored)
            }
            #expect(geometry.shownCount(forStored: stored) == 0)
        }
        #expect(try geometry.plaintextCount(forStored: 18) == 0)
        for rest in [1, UInt64(cipher.overhead)] {
            #expect(throws: VolumeFormatError.blockTruncated(found: rest)) {
                try geometry.plaintextCount(forStored: 18 + rest)
            }
            #expect(geometry.shownCount(forStored: 18 + rest) == 1)
        }
        let maximum = geometry.maximumPlaintextCount
        #expect(try geometry.storedCount(forPlaintext: maximum) <= UInt64(Int64.max))
        #expect(throws: VolumeFormatError.sizeOutOfRange(maximum + 1)) {
            try geometry.storedCount(forPlaintext: maximum + 1)
        }
        for huge in [UInt64(Int64.max) + 1, .max] {
            #expect(throws: VolumeFormatError.sizeOutOfRange(huge)) {
                try geometry.plaintextCount(forStored: huge)
            }
            #expect(geometry.shownCount(forStored: huge) <= maximum)
        }
    }
}

@Suite struct `Blocks of gocryptfs files` {
    private func volume(_ name: String) throws -> GocryptfsVolume {
        try GocryptfsVolume(golden: name)
    }

    private static let ciphers = ["default", "xchacha", "aessiv"]

    @Test(arguments: ciphers, [0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 300 * 4096 + 5])
    func `open to what was sealed`(name: String, count: Int) throws {
        let volume = try volume(name)
        let content = VolumeFile.sample(count)
        let stored = try volume.stored(content)
        #expect(try volume.content(stored) == content)
        if count > 0 { #expect(try volume.stored(content) != stored, "a fresh nonce each time") }
    }

    @Test(arguments: ciphers)
    func `no nonce is ever drawn twice`(name: String) throws {
        let volume = try volume(name)
        let geometry = GocryptfsGeometry(volume.keys.cipher)
        var nonces: Set<[UInt8]> = []
        // More than one draw of many, and one of few.
        for count in [600 * 4096, 4096] {
            let stored = try volume.stored([UInt8](repeating: 0, count: count))
            for block in 0..<count / 4096 {
                let start = 18 + block * geometry.sealedBlockCount
                nonces.insert(Array(stored[start..<start + volume.keys.cipher.nonceCount]))
            }
        }
        #expect(nonces.count == 601)
    }

    @Test(arguments: ciphers)
    func `every flipped bit is noticed`(name: String) throws {
        let volume = try volume(name)
        let stored = try volume.stored(VolumeFile.sample(40))
        // The negative control: nothing flipped, nothing noticed.
        _ = try volume.content(stored)
        for index in stored.indices {
            for bit in 0..<8 {
                var damaged = stored
                damaged[index] ^= 1 << UInt8(bit)
                #expect(throws: VolumeFormatError.self) { try volume.content(damaged) }
            }
        }
    }

    /// A block and the beginning of a second: each of their bits.
    @Test(arguments: isLong ? ciphers : ["default"])
    func `a flipped bit is its block's error, and the other opens`(name: String) throws {
        let volume = try volume(name)
        let content = VolumeFile.sample(4096 + 3)
        var stored = try volume.stored(content)
        let size = GocryptfsGeometry(volume.keys.cipher).sealedBlockCount
        for index in stored.indices where Self.isLong || index % 7 < 2 || index < 60 {
            for bit in 0..<8 {
                stored[index] ^= 1 << UInt8(bit)
                let expected: VolumeFormatError =
                    index < 2
                    ? .headerNotRecognized : .blockDamaged(index: index < 18 + size ? 0 : 1)
                #expect(throws: expected) { try volume.content(stored) }
                stored[index] ^= 1 << UInt8(bit)
            }
        }
        #expect(try volume.content(stored) == content)
    }

    /// Every length a file can be cut to.
    @Test(arguments: ciphers)
    func `a cut is noticed, unless it is between blocks`(name: String) throws {
        let volume = try volume(name)
        let content = VolumeFile.sample(2 * 4096 + 100)
        let stored = try volume.stored(content)
        let size = GocryptfsGeometry(volume.keys.cipher).sealedBlockCount
        for count in 0..<stored.count where Self.isLong || count % 5 == 0 || count % size < 60 {
            let found = try? volume.content(Array(stored[..<count]))
            let isBetween = count == 0 || count >= 18 && (count - 18) % size == 0
            #expect((found != nil) == isBetween, "\(count)")
            let blocks = max(count - 18, 0) / size
            if let found { #expect(found == Array(content[..<(blocks * 4096)])) }
        }
    }

    /// Every block in every other's place, and every one left out or doubled.
    @Test(arguments: ciphers)
    func `blocks that are swapped, repeated or left out are refused`(name: String) throws {
        let volume = try volume(name)
        let stored = try volume.stored(VolumeFile.sample(5 * 4096))
        let size = GocryptfsGeometry(volume.keys.cipher).sealedBlockCount
        let blocks = (0..<5).map { Array(stored[(18 + $0 * size)..<(18 + ($0 + 1) * size)]) }
        let header = Array(stored[..<18])
        for first in 0..<5 {
            for second in 0..<5 where second != first {
                var swapped = blocks
                swapped.swapAt(first, second)
                var repeated = blocks
                repeated[second] = blocks[first]
                for changed in [swapped, repeated] {
                    #expect(throws: VolumeFormatError.self) {
                        try volume.content(header + changed.flatMap(\.self))
                    }
                }
            }
            var doubled = blocks
            doubled.insert(blocks[first], at: first)
            #expect(throws: VolumeFormatError.self) {
                try volume.content(header + doubled.flatMap(\.self))
            }
            guard first < 4 else { continue }
            var shorter = blocks
            shorter.remove(at: first)
            #expect(throws: VolumeFormatError.self) {
                try volume.content(header + shorter.flatMap(\.self))
            }
        }
    }

    /// With `LONG_TESTS=1`, everything is tried.
    private static let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"

    @Test(arguments: ciphers)
    func `a block in another place or another file is refused`(name: String) throws {
        let volume = try volume(name)
        let size = GocryptfsGeometry(volume.keys.cipher).sealedBlockCount
        let first = try volume.stored(VolumeFile.sample(3 * 4096, seed: 1))
        let second = try volume.stored(VolumeFile.sample(3 * 4096, seed: 2))
        var swapped = first
        swapped.replaceSubrange(18..<18 + size, with: first[18 + size..<18 + 2 * size])
        #expect(throws: VolumeFormatError.blockDamaged(index: 0)) { try volume.content(swapped) }
        var foreign = first
        foreign.replaceSubrange(18 + size..<18 + 2 * size, with: second[18 + size..<18 + 2 * size])
        #expect(throws: VolumeFormatError.blockDamaged(index: 1)) { try volume.content(foreign) }
        #expect(throws: VolumeFormatError.blockDamaged(index: 2)) {
            try volume.content(Array(first.dropLast()))
        }
    }

    @Test(arguments: ciphers)
    func `what the format cannot see: whole blocks cut off, rolled back or made holes`(
        name: String
    ) throws {
        let volume = try volume(name)
        let size = GocryptfsGeometry(volume.keys.cipher).sealedBlockCount
        let content = VolumeFile.sample(3 * 4096)
        let stored = try volume.stored(content)
        #expect(try volume.content(Array(stored.dropLast(size))) == Array(content.prefix(8192)))
        let id = GocryptfsFileID.random()
        let old = try volume.stored(content, id: id)
        let new = try volume.stored(VolumeFile.sample(3 * 4096, seed: 2), id: id)
        let mixed = Array(old[..<(18 + size)] + new[(18 + size)...])
        let expected = content[..<4096] + VolumeFile.sample(3 * 4096, seed: 2)[4096...]
        #expect(try volume.content(mixed) == Array(expected))
        var hole = stored
        hole.replaceSubrange(18..<18 + size, with: [UInt8](repeating: 0, count: size))
        #expect(
            try volume.content(hole) == [UInt8](repeating: 0, count: 4096) + content.dropFirst(4096)
        )
    }

    @Test(arguments: ciphers)
    func `zeros that are no whole block are damage`(name: String) throws {
        let volume = try volume(name)
        var stored = try volume.stored(VolumeFile.sample(100))
        stored.replaceSubrange(18..., with: [UInt8](repeating: 0, count: stored.count - 18))
        #expect(throws: VolumeFormatError.blockDamaged(index: 0)) { try volume.content(stored) }
        var nonce = try volume.stored(VolumeFile.sample(4096))
        nonce.replaceSubrange(
            18..<18 + volume.keys.cipher.nonceCount,
            with: [UInt8](
                repeating: 0,
                count: volume.keys.cipher.nonceCount
            )
        )
        #expect(throws: VolumeFormatError.blockDamaged(index: 0)) { try volume.content(nonce) }
    }

    @Test func `headers of another version, or of zeros, are refused`() throws {
        let volume = try volume("default")
        let stored = try volume.stored([1])
        for header in [[0, 1], [0, 3], [2, 0]] as [[UInt8]] {
            #expect(throws: VolumeFormatError.headerNotRecognized) {
                try volume.content(header + stored.dropFirst(2))
            }
        }
        #expect(throws: VolumeFormatError.headerNotRecognized) {
            try volume.content([0, 2] + [UInt8](repeating: 0, count: 16) + stored.dropFirst(18))
        }
    }

    @Test(arguments: ciphers)
    func `links and attributes are sealed as blocks of no file`(name: String) throws {
        let volume = try volume(name)
        var content = try GocryptfsContent(keys: volume.keys)
        for count in [0, 1, 4096, 65_536] {
            let value = VolumeFile.sample(count)
            let sealed = try value.withUnsafeBytes { try content.sealValue($0) }
            #expect(sealed.count == (count == 0 ? 0 : count + volume.keys.cipher.overhead))
            #expect(try sealed.withUnsafeBytes { try content.openValue($0) } == value)
            if count > 0 {
                for bad in [Array(sealed.dropLast()), sealed.dropLast() + [sealed.last! ^ 1]] {
                    #expect(throws: VolumeFormatError.valueDamaged) {
                        try bad.withUnsafeBytes { try content.openValue($0) }
                    }
                }
            }
        }
    }
}
