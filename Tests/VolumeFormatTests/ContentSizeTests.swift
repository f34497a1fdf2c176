import Testing
import VolumeFormat

@Suite struct `Sizes of files` {
    @Test(
        arguments: [
            (0, 32), (1, 49), (65_535, 65_583), (65_536, 65_584), (65_537, 65_601),
            (131_072, 131_136), (131_073, 131_153), (1 << 40, 1_099_780_063_264),
        ] as [(UInt64, UInt64)]
    )
    func `follow from the content both ways`(plaintext: UInt64, ciphertext: UInt64) throws {
        #expect(try RcloneContent.ciphertextCount(forPlaintext: plaintext) == ciphertext)
        #expect(try RcloneContent.plaintextCount(forCiphertext: ciphertext) == plaintext)
    }

    @Test func `that no file can have are refused`() {
        for count in UInt64(0)..<32 {
            #expect(throws: VolumeFormatError.headerTruncated(found: count)) {
                try RcloneContent.plaintextCount(forCiphertext: count)
            }
        }
        for rest in UInt64(1)...16 {
            for blocks in UInt64(0)...2 {
                #expect(throws: VolumeFormatError.blockTruncated(found: rest)) {
                    try RcloneContent.plaintextCount(forCiphertext: 32 + blocks * 65_552 + rest)
                }
            }
        }
    }

    @Test func `are bounded by what a file can be`() throws {
        let longest = RcloneContent.maximumPlaintextCount
        let stored = try RcloneContent.ciphertextCount(forPlaintext: longest)
        #expect(stored <= UInt64(Int64.max))
        #expect(try RcloneContent.plaintextCount(forCiphertext: stored) == longest)
        for size in [longest + 1, .max] {
            #expect(throws: VolumeFormatError.sizeOutOfRange(size)) {
                try RcloneContent.ciphertextCount(forPlaintext: size)
            }
        }
        for size in [UInt64(Int64.max) + 1, .max] {
            #expect(throws: VolumeFormatError.sizeOutOfRange(size)) {
                try RcloneContent.plaintextCount(forCiphertext: size)
            }
        }
        #expect(throws: VolumeFormatError.sizeOutOfRange(.max)) {
            try RcloneContent.offset(ofBlock: .max)
        }
    }
}
