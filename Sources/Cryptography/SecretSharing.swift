/// Shamir's sharing of a secret among several people: a certain number of them have it together, and
/// fewer have nothing.
///
/// Each byte of the secret is the value at 0 of a random polynomial over GF(2⁸), of a degree one below
/// the threshold; a share is the polynomials' values at its index. Shares authenticate nothing: what
/// was combined must be checked by what it opens.
///
/// A. Shamir, "How to share a secret", 1979. The field is AES's, as in HashiCorp's Vault.
public enum SecretSharing {
    /// One person's part.
    public struct Share: Sendable {
        /// Where the polynomials were evaluated: 1...255, each once.
        public let index: UInt8

        /// Their values; as many as the secret has bytes.
        public let bytes: SecretBytes

        /// Describes a share.
        public init(index: UInt8, bytes: SecretBytes) {
            self.index = index
            self.bytes = bytes
        }
    }

    /// Most shares of one secret.
    public static let maximumCount = 255

    /// Shares a secret.
    ///
    /// - Parameters:
    ///   - secret: Any length.
    ///   - count: How many shares: `threshold`...255.
    ///   - threshold: How many of them have it together: 1 or more.
    /// - Returns: The shares, with the indices from 1.
    public static func split(_ secret: SecretBytes, into count: Int, threshold: Int) -> [Share] {
        split(
            secret,
            into: count,
            coefficients: (1..<threshold).map { _ in .random(count: secret.count) }
        )
    }

    /// The same, with the polynomials given: those of x, x², … for every byte of the secret.
    static func split(
        _ secret: SecretBytes,
        into count: Int,
        coefficients: [SecretBytes]
    ) -> [Share] {
        precondition((coefficients.count + 1...maximumCount).contains(count))
        return (1...UInt8(count)).map { index in
            let bytes = SecretBytes(count: secret.count) { values in
                // Horner's scheme, from the highest power down.
                for coefficient in coefficients.reversed() + [secret] {
                    coefficient.withUnsafeBytes { coefficient in
                        for place in values.indices {
                            values[place] =
                                BinaryField.multiply(values[place], index) ^ coefficient[place]
                        }
                    }
                }
            }
            return Share(index: index, bytes: bytes)
        }
    }

    /// Puts shares together.
    ///
    /// - Parameter shares: As many as the threshold says, of one secret. With fewer, or others, the
    ///   result is noise.
    /// - Returns: The secret, if they were the right ones.
    /// - Throws: ``CryptographyError/invalidLength(argument:found:)`` where they cannot belong
    ///   together: none, of different lengths, an index twice or 0.
    public static func combine(_ shares: [Share]) throws(CryptographyError) -> SecretBytes {
        guard let count = shares.first?.bytes.count, shares.allSatisfy({ $0.bytes.count == count })
        else { throw .invalidLength(argument: "shares", found: shares.count) }
        let indices = Set(shares.map(\.index))
        guard indices.count == shares.count, !indices.contains(0) else {
            throw .invalidLength(argument: "different shares", found: indices.count)
        }
        return SecretBytes(count: count) { secret in
            for share in shares {
                let weight = weight(of: share.index, among: indices)
                share.bytes.withUnsafeBytes { bytes in
                    for place in secret.indices {
                        secret[place] ^= BinaryField.multiply(bytes[place], weight)
                    }
                }
            }
        }
    }

    /// Lagrange's basis polynomial of an index, at 0; indices are public.
    private static func weight(of index: UInt8, among indices: Set<UInt8>) -> UInt8 {
        indices.subtracting([index]).reduce(1) { weight, other in
            BinaryField.multiply(
                weight,
                BinaryField.multiply(other, BinaryField.inverse(other ^ index))
            )
        }
    }
}
