internal import COpenSSL
import Synchronization

/// EME with AES-256: a wide-block cipher over 1 to 128 blocks of 16 bytes.
///
/// Every bit of the output depends on every bit of the input, so equal prefixes of names do not
/// show. Safe to use from several threads.
///
/// Paper: Halevi and Rogaway, "A Parallelizable Enciphering Mode", figure 3.
public final class EME: Sendable {
    /// Key length in bytes.
    public static let keyCount = 32

    /// Tweak and block length in bytes.
    public static let blockCount = 16

    /// Longest message in bytes.
    public static let maximumCount = 128 * blockCount

    private struct Contexts: ~Copyable {
        let encryption: BlockCipher
        let decryption: BlockCipher
    }

    private let contexts: Mutex<Contexts>

    /// Expands a key.
    ///
    /// - Parameter key: 32 bytes.
    /// - Throws: ``CryptographyError/library(function:reason:)``.
    public init(key: SecretBytes) throws(CryptographyError) {
        precondition(key.count == Self.keyCount)
        let encryption = try BlockCipher(key: key, EVP_EncryptInit_ex)
        let decryption = try BlockCipher(key: key, EVP_DecryptInit_ex)
        contexts = Mutex(Contexts(encryption: encryption, decryption: decryption))
    }

    /// Enciphers in place.
    ///
    /// - Parameters:
    ///   - message: 16, 32, … 2048 bytes.
    ///   - tweak: 16 bytes.
    /// - Throws: ``CryptographyError/invalidLength(argument:found:)``,
    ///   ``CryptographyError/library(function:reason:)``.
    public func encrypt(_ message: inout [UInt8], tweak: [UInt8]) throws(CryptographyError) {
        try contexts.withLock { contexts throws(CryptographyError) in
            try Self.transform(
                &message,
                tweak: tweak,
                cipher: contexts.encryption.context,
                tweakCipher: contexts.encryption.context
            )
        }
    }

    /// Deciphers in place; takes and throws the same as ``encrypt(_:tweak:)``.
    public func decrypt(_ message: inout [UInt8], tweak: [UInt8]) throws(CryptographyError) {
        try contexts.withLock { contexts throws(CryptographyError) in
            try Self.transform(
                &message,
                tweak: tweak,
                cipher: contexts.decryption.context,
                tweakCipher: contexts.encryption.context
            )
        }
    }

    /// Figure 3 of the paper; both directions differ only in the block cipher's.
    private static func transform(
        _ message: inout [UInt8],
        tweak: [UInt8],
        cipher: OpaquePointer,
        tweakCipher: OpaquePointer
    ) throws(CryptographyError) {
        guard tweak.count == blockCount else {
            throw .invalidLength(argument: "tweak", found: tweak.count)
        }
        guard !message.isEmpty, message.count.isMultiple(of: blockCount),
            message.count <= maximumCount
        else { throw .invalidLength(argument: "message", found: message.count) }
        let blocks = message.count / blockCount

        // L = 2·E(0); block j is masked with 2^(j-1)·L.
        let zero = try apply(tweakCipher, to: [UInt8](repeating: 0, count: blockCount))
        var masks: [UInt8] = []
        masks.reserveCapacity(message.count)
        var mask = doubled(zero)
        for _ in 0..<blocks {
            masks += mask
            mask = doubled(mask)
        }

        let inner = try apply(cipher, to: xor(message, masks))

        // MP = PPP_1 ⊕ … ⊕ PPP_m ⊕ T;  MC = E(MP);  M = MP ⊕ MC.
        var sum = tweak
        for block in 0..<blocks {
            xor(&sum, inner, from: block * blockCount)
        }
        let enciphered = try apply(cipher, to: sum)
        var multiplier = xor(sum, enciphered)

        // CCC_j = PPP_j ⊕ 2^(j-1)·M;  CCC_1 = MC ⊕ CCC_2 ⊕ … ⊕ CCC_m ⊕ T.
        var outer = inner
        var first = xor(enciphered, tweak)
        for block in 1..<max(blocks, 1) {
            multiplier = doubled(multiplier)
            for index in 0..<blockCount {
                outer[block * blockCount + index] ^= multiplier[index]
            }
            xor(&first, outer, from: block * blockCount)
        }
        outer.replaceSubrange(0..<blockCount, with: first)

        message = xor(try apply(cipher, to: outer), masks)
    }

    private static func apply(
        _ cipher: OpaquePointer,
        to blocks: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: blocks.count)
        try openSSL("EVP_CipherUpdate") {
            var written: Int32 = 0
            return EVP_CipherUpdate(cipher, &output, &written, blocks, Int32(blocks.count))
        }
        return output
    }

    /// Multiplication by two in GF(2^128), little-endian as the paper has it.
    private static func doubled(_ block: [UInt8]) -> [UInt8] {
        var result = block
        var carry: UInt8 = 0
        for index in 0..<blockCount {
            result[index] = block[index] << 1 | carry
            carry = block[index] >> 7
        }
        result[0] ^= 0x87 & (0 &- carry)
        return result
    }

    private static func xor(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        zip(left, right).map { $0 ^ $1 }
    }

    private static func xor(_ block: inout [UInt8], _ source: [UInt8], from offset: Int) {
        for index in 0..<blockCount {
            block[index] ^= source[offset + index]
        }
    }
}

/// AES-256 on single blocks, without padding, in one direction.
private struct BlockCipher: ~Copyable {
    // Owned by this value alone.
    nonisolated(unsafe) let context: OpaquePointer

    init(
        key: SecretBytes,
        _ initialize: (
            OpaquePointer?, OpaquePointer?, OpaquePointer?, UnsafePointer<UInt8>?,
            UnsafePointer<UInt8>?
        ) -> Int32
    ) throws(CryptographyError) {
        let context = try openSSL("EVP_CIPHER_CTX_new") { EVP_CIPHER_CTX_new() }
        do throws(CryptographyError) {
            try openSSL("EVP_CipherInit_ex") {
                key.withUnsafeBytes { initialize(context, EVP_aes_256_ecb(), nil, $0.bytes, nil) }
            }
        } catch {
            EVP_CIPHER_CTX_free(context)
            throw error
        }
        EVP_CIPHER_CTX_set_padding(context, 0)
        self.context = context
    }

    deinit {
        EVP_CIPHER_CTX_free(context)
    }
}
