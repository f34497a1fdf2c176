import TestSupport
import Testing

@testable import Cryptography

@Suite struct `Shares of a secret` {
    private func bytes(_ secret: SecretBytes) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }

    @Test func `multiply as FIPS 197 says, and as polynomials do`() {
        // §4.2, §4.2.1.
        #expect(BinaryField.multiply(0x57, 0x83) == 0xc1)
        #expect(BinaryField.multiply(0x57, 0x13) == 0xfe)
        for left in UInt8.min...UInt8.max {
            for right in UInt8.min...UInt8.max {
                #expect(BinaryField.multiply(left, right) == Self.slowly(left, right))
            }
            let inverse = BinaryField.inverse(left)
            #expect(BinaryField.multiply(left, inverse) == (left == 0 ? 0 : 1))
        }
    }

    /// Long multiplication, then the remainder by long division.
    private static func slowly(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var product = 0
        for bit in 0..<8 where right >> bit & 1 == 1 { product ^= Int(left) << bit }
        for bit in (8..<16).reversed() where product >> bit & 1 == 1 {
            product ^= 0x11b << (bit - 8)
        }
        return UInt8(product)
    }

    @Test func `are what another program computes`() throws {
        let vectors = try Vectors.read("secret-sharing.txt")
        #expect(vectors.count == 9)
        for vector in vectors {
            let secret = SecretBytes(copying: vector["secret"])
            let coefficients = stride(
                from: 0,
                to: vector["coefficients"].count,
                by: secret.count
            ).map { SecretBytes(copying: vector["coefficients"][$0..<$0 + secret.count]) }
            let count = vector["shares"].count / secret.count
            let shares = SecretSharing.split(secret, into: count, coefficients: coefficients)
            #expect(shares.map(\.index) == (1...UInt8(count)).map { $0 })
            #expect(shares.flatMap { bytes($0.bytes) } == vector["shares"], "\(vector)")
            let threshold = try #require(Int(vector.text("threshold")))
            #expect(coefficients.count == threshold - 1)
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<5 {
                let some = Array(shares.shuffled(using: &generator).prefix(threshold))
                #expect(bytes(try SecretSharing.combine(some)) == vector["secret"], "\(vector)")
            }
        }
    }

    @Test func `give the secret to so many together, whichever they are`() throws {
        let secret = SecretBytes.random(count: 32)
        let shares = SecretSharing.split(secret, into: 6, threshold: 3)
        for a in 0..<6 {
            for b in 0..<6 where b != a {
                for c in 0..<6 where c != a && c != b {
                    let found = try SecretSharing.combine([shares[a], shares[b], shares[c]])
                    #expect(found.isEqual(to: secret))
                }
                let tooFew = try SecretSharing.combine([shares[a], shares[b]])
                #expect(!tooFew.isEqual(to: secret))
            }
        }
        #expect(try SecretSharing.combine(shares).isEqual(to: secret), "more do no harm")
    }

    @Test func `leave every secret possible for who has one too few`() throws {
        // Of a secret of one byte and a threshold of 2: for each of the 256 secrets there is exactly
        // one polynomial that goes through the one share.
        let share = SecretSharing.split(
            SecretBytes(copying: [0x5a]),
            into: 2,
            coefficients: [SecretBytes(copying: [0xc3])]
        )[1]
        let possible = try (UInt8.min...UInt8.max).map { guess in
            let other = SecretSharing.Share(index: 1, bytes: SecretBytes(copying: [guess]))
            return try bytes(SecretSharing.combine([share, other]))[0]
        }
        #expect(Set(possible).count == 256)
    }

    @Test func `are drawn anew each time`() {
        let secret = SecretBytes(copying: [UInt8](repeating: 0, count: 32))
        let first = SecretSharing.split(secret, into: 2, threshold: 2)
        let second = SecretSharing.split(secret, into: 2, threshold: 2)
        #expect(!first[0].bytes.isEqual(to: second[0].bytes))
    }

    @Test func `that cannot belong together are not combined`() throws {
        let shares = SecretSharing.split(.random(count: 4), into: 3, threshold: 2)
        let short = SecretSharing.Share(index: 9, bytes: .random(count: 3))
        let zero = SecretSharing.Share(index: 0, bytes: .random(count: 4))
        for some in [[], [shares[0], shares[0]], [shares[0], short], [shares[0], zero]] {
            #expect(throws: CryptographyError.self) { try SecretSharing.combine(some) }
        }
    }
}
