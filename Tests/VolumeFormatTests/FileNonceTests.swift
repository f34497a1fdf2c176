import Cryptography
import Testing
import VolumeFormat

@Suite struct `File nonces` {
    @Test(
        arguments: [
            // File nonce, block, block nonce: a little-endian number of 192 bits.
            (
                "000000000000000000000000000000000000000000000000", 0,
                "000000000000000000000000000000000000000000000000"
            ),
            (
                "ff0000000000000000000000000000000000000000000000", 1,
                "000100000000000000000000000000000000000000000000"
            ),
            (
                "fffffffffffffffe00000000000000000000000000000000", 0x0100_0000_0000_0001,
                "000000000000000001000000000000000000000000000000"
            ),
            (
                "ffffffffffffffff00000000000000000000000000000000", 1,
                "000000000000000001000000000000000000000000000000"
            ),
            (
                "ffffffffffffffffffffffffffffffff0000000000000000", 1,
                "000000000000000000000000000000000100000000000000"
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffff", 1,
                "000000000000000000000000000000000000000000000000"
            ),
            (
                "0200000000000000ffffffffffffffff0000000000000000", .max,
                "010000000000000000000000000000000100000000000000"
            ),
        ] as [(String, UInt64, String)]
    )
    func `count blocks with carry`(nonce: String, block: UInt64, expected: String) throws {
        let bytes = try Array(nonce.utf8).withUnsafeBytes { try Hexadecimal.decode($0) }
        let nonce = try #require(bytes.withUnsafeBytes { FileNonce($0) })
        let result = nonce.forBlock(block).withUnsafeBytes { Hexadecimal.encode($0) }
        #expect(result == expected)
    }

    @Test func `are 24 bytes`() {
        for count in [0, 23, 25] {
            let bytes = [UInt8](repeating: 0, count: count)
            #expect(bytes.withUnsafeBytes { FileNonce($0) } == nil)
        }
    }

    @Test func `are drawn at random`() {
        let nonces = (0..<100).map { _ in
            FileNonce.random().withUnsafeBytes { Hexadecimal.encode($0) }
        }
        #expect(Set(nonces).count == 100)
        #expect(nonces.allSatisfy { !$0.hasSuffix("0000000000000000") })
    }
}
