import Cryptography
import Testing
import VolumeFormat

@Suite struct `Damaged files` {
    private let keys: RcloneKeys
    private let content = VolumeFile.sample(2 * 65_536 + 300)
    private let file: [UInt8]

    init() throws {
        keys = try RcloneKeys(password: SecretBytes(copying: "damage".utf8), salt: nil)
        file = try VolumeFile.encrypted(content, keys: keys)
    }

    @Test func `are not what the sound file is`() throws {
        #expect(try VolumeFile.decrypted(file, keys: keys) == content)
    }

    @Test func `cut anywhere in the header are refused`() {
        for count in 0..<32 {
            #expect(throws: VolumeFormatError.headerTruncated(found: UInt64(count))) {
                try VolumeFile.decrypted(Array(file.prefix(count)), keys: keys)
            }
            #expect(throws: VolumeFormatError.headerTruncated(found: UInt64(count))) {
                try file.prefix(count).withUnsafeBytes { try RcloneFileHeader(parsing: $0) }
            }
        }
    }

    @Test func `cut around a block's boundary are refused or are the whole blocks before`() throws {
        for boundary in [32, 32 + 65_552, 32 + 2 * 65_552] {
            #expect(
                try VolumeFile.decrypted(Array(file.prefix(boundary)), keys: keys)
                    == Array(content[..<((boundary - 32) / 65_552 * 65_536)])
            )
            for count in boundary + 1...boundary + 16 {
                #expect(
                    throws: VolumeFormatError.blockTruncated(found: UInt64(count - boundary))
                ) {
                    try VolumeFile.decrypted(Array(file.prefix(count)), keys: keys)
                }
            }
            let index = UInt64((boundary - 32) / 65_552)
            for count in [boundary + 17, boundary + 18, boundary + 299] {
                #expect(throws: VolumeFormatError.blockDamaged(index: index)) {
                    try VolumeFile.decrypted(Array(file.prefix(count)), keys: keys)
                }
            }
            if boundary > 32 {
                for count in [boundary - 1, boundary - 2, boundary - 17] {
                    #expect(throws: VolumeFormatError.blockDamaged(index: index - 1)) {
                        try VolumeFile.decrypted(Array(file.prefix(count)), keys: keys)
                    }
                }
            }
        }
    }

    @Test func `with a byte too many are refused`() {
        #expect(throws: VolumeFormatError.blockDamaged(index: 2)) {
            try VolumeFile.decrypted(file + [0], keys: keys)
        }
    }

    @Test func `with any bit of the header flipped are refused`() {
        for byte in 0..<32 {
            for bit in 0..<8 {
                let expected: VolumeFormatError =
                    byte < 8 ? .headerNotRecognized : .blockDamaged(index: 0)
                #expect(throws: expected) {
                    try VolumeFile.decrypted(flipping(bit, of: byte), keys: keys)
                }
            }
        }
    }

    @Test func `with a bit of tag or body flipped fail in that block`() {
        for block in 0..<3 {
            let start = 32 + block * 65_552
            for byte in [start, start + 15, start + 16, start + 100, start + 315] {
                #expect(throws: VolumeFormatError.blockDamaged(index: UInt64(block))) {
                    try VolumeFile.decrypted(flipping(7 - block, of: byte), keys: keys)
                }
            }
        }
        #expect(throws: VolumeFormatError.blockDamaged(index: 1)) {
            try VolumeFile.decrypted(flipping(0, of: 32 + 2 * 65_552 - 1), keys: keys)
        }
    }

    @Test func `with blocks swapped, repeated or left out are refused`() {
        let header = file[..<32]
        let first = file[32..<32 + 65_552]
        let second = file[32 + 65_552..<32 + 2 * 65_552]
        let third = file[(32 + 2 * 65_552)...]
        for (blocks, bad) in [
            ([second, first, third], 0), ([first, first, third], 1), ([second, third], 0),
            ([first, third], 1),
        ] {
            #expect(throws: VolumeFormatError.blockDamaged(index: UInt64(bad))) {
                try VolumeFile.decrypted(Array(([header] + blocks).joined()), keys: keys)
            }
        }
    }

    @Test func `with a block of another file of the volume are refused`() throws {
        let other = try VolumeFile.encrypted(content, keys: keys)
        let mixed = file[..<(32 + 65_552)] + other[(32 + 65_552)...]
        #expect(throws: VolumeFormatError.blockDamaged(index: 1)) {
            try VolumeFile.decrypted(Array(mixed), keys: keys)
        }
    }

    @Test func `of another volume are refused`() throws {
        let other = try RcloneKeys(
            password: SecretBytes(copying: "damage".utf8),
            salt: SecretBytes(copying: "and salt".utf8)
        )
        #expect(throws: VolumeFormatError.blockDamaged(index: 0)) {
            try VolumeFile.decrypted(file, keys: other)
        }
    }

    @Test func `give not one byte of the bad block`() throws {
        let nonce = FileNonce.random()
        let plaintext = VolumeFile.sample(100)
        var sealed = [UInt8](repeating: 0, count: 116)
        try sealed.withUnsafeMutableBytes { sealed in
            try plaintext.withUnsafeBytes {
                try RcloneContent.sealBlock($0, index: 7, nonce: nonce, keys: keys, into: sealed)
            }
        }
        sealed[115] ^= 1
        var opened = [UInt8](repeating: 0x55, count: 100)
        let untouched = opened
        #expect(throws: VolumeFormatError.blockDamaged(index: 7)) {
            try opened.withUnsafeMutableBytes { opened in
                try sealed.withUnsafeBytes {
                    try RcloneContent.openBlock(
                        $0,
                        index: 7,
                        nonce: nonce,
                        keys: keys,
                        into: opened
                    )
                }
            }
        }
        #expect(opened == untouched)
    }

    @Test func `and buffers that fit no block are refused`() throws {
        let nonce = FileNonce.random()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_600, alignment: 16)
        defer { room.deallocate() }
        func part(_ count: Int) -> UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: room[..<count])
        }
        for (plaintext, sealed) in [(0, 16), (65_537, 65_553), (10, 25), (10, 27)] {
            #expect(throws: VolumeFormatError.self) {
                try RcloneContent.sealBlock(
                    UnsafeRawBufferPointer(part(plaintext)),
                    index: 0,
                    nonce: nonce,
                    keys: keys,
                    into: part(sealed)
                )
            }
        }
        for (sealed, plaintext) in [(0, 0), (15, 0), (16, 0), (65_553, 65_537), (26, 11), (26, 9)] {
            #expect(throws: VolumeFormatError.self) {
                try RcloneContent.openBlock(
                    UnsafeRawBufferPointer(part(sealed)),
                    index: 0,
                    nonce: nonce,
                    keys: keys,
                    into: part(plaintext)
                )
            }
        }
    }

    private func flipping(_ bit: Int, of byte: Int) -> [UInt8] {
        var damaged = file
        damaged[byte] ^= 1 << UInt8(bit)
        return damaged
    }
}
