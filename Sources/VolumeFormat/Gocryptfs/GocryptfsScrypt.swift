public import Cryptography

/// How a password becomes the key that wraps the master key.
public struct GocryptfsScrypt: Equatable, Sendable {
    /// Length of the salt of a new volume, and the least there may be, in bytes.
    public static let saltCount = 32

    /// Exponents of the cost N that are accepted: 2^10, gocryptfs's least, to 2^20, which takes
    /// 1 GiB.
    public static let exponents = 10...20

    /// What gocryptfs uses, and new volumes with a password: 64 MiB.
    public static let defaultExponent = 16

    /// What an attempt at a key usually costs.
    ///
    /// scrypt makes guessing a password dear. A generated key has 256 random bits, which no cost
    /// makes any harder to guess: the least that gocryptfs takes is enough.
    public static func usualExponent(forGeneratedKey isGenerated: Bool) -> Int {
        isGenerated ? exponents.lowerBound : defaultExponent
    }

    /// Public random bytes.
    public let salt: [UInt8]

    /// What one attempt at the password costs.
    public let cost: Scrypt.Cost

    /// Draws a salt.
    ///
    /// - Parameter exponent: Of N; r is 8 and p is 1. Brought within ``exponents``.
    public init(exponent: Int = defaultExponent) {
        let exponent = min(
            max(exponent, Self.exponents.lowerBound),
            Self.exponents.upperBound
        )
        salt = RandomBytes.make(count: Self.saltCount)
        cost = Scrypt.Cost(n: 1 << UInt64(exponent), r: 8, p: 1)
    }

    /// Takes what a configuration says; nil unless it is at least as strong as gocryptfs asks for,
    /// and takes at most 1 GiB and some seconds: a file from a thief is not to exhaust the device.
    init?(salt: [UInt8], n: Int, r: Int, p: Int) {
        guard (Self.saltCount...1024).contains(salt.count),
            n.nonzeroBitCount == 1, Self.exponents.contains(n.trailingZeroBitCount),
            (8...1024).contains(r), (1...16).contains(p)
        else { return nil }
        cost = Scrypt.Cost(n: UInt64(n), r: UInt32(r), p: UInt32(p))
        guard cost.memoryCount <= 1 << 30, cost.memoryCount * UInt64(p) <= 1 << 32 else {
            return nil
        }
        self.salt = salt
    }
}
