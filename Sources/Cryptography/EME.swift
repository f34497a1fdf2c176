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

        /// L of the paper: twice the enciphered zero block.
        let mask: WideBlock
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
        let mask = try encryption.transformed(WideBlock()).doubled
        contexts = Mutex(Contexts(encryption: encryption, decryption: decryption, mask: mask))
    }

    /// Enciphers in place; allocates nothing.
    ///
    /// - Parameters:
    ///   - message: 16, 32, … 2048 bytes.
    ///   - tweak: 16 bytes.
    /// - Throws: ``CryptographyError/invalidLength(argument:found:)``,
    ///   ``CryptographyError/library(function:reason:)``.
    public func encrypt(
        _ message: UnsafeMutableRawBufferPointer,
        tweak: UnsafeRawBufferPointer
    ) throws(CryptographyError) {
        try contexts.withLock { contexts throws(CryptographyError) in
            try Self.transform(
                message,
                tweak: tweak,
                cipher: contexts.encryption,
                tweakCipher: contexts.encryption,
                mask: contexts.mask
            )
        }
    }

    /// Deciphers in place; takes and throws the same as ``encrypt(_:tweak:)``.
    public func decrypt(
        _ message: UnsafeMutableRawBufferPointer,
        tweak: UnsafeRawBufferPointer
    ) throws(CryptographyError) {
        try contexts.withLock { contexts throws(CryptographyError) in
            try Self.transform(
                message,
                tweak: tweak,
                cipher: contexts.decryption,
                tweakCipher: contexts.encryption,
                mask: contexts.mask
            )
        }
    }

    /// Enciphers an array in place, as ``encrypt(_:tweak:)`` does a buffer.
    public func encrypt(_ message: inout [UInt8], tweak: [UInt8]) throws(CryptographyError) {
        try lending(&message, tweak) { message, tweak throws(CryptographyError) in
            try encrypt(message, tweak: tweak)
        }
    }

    /// Deciphers an array in place, as ``decrypt(_:tweak:)`` does a buffer.
    public func decrypt(_ message: inout [UInt8], tweak: [UInt8]) throws(CryptographyError) {
        try lending(&message, tweak) { message, tweak throws(CryptographyError) in
            try decrypt(message, tweak: tweak)
        }
    }

    /// Figure 3 of the paper; both directions differ only in the block cipher's.
    private static func transform(
        _ message: UnsafeMutableRawBufferPointer,
        tweak: UnsafeRawBufferPointer,
        cipher: borrowing BlockCipher,
        tweakCipher: borrowing BlockCipher,
        mask: WideBlock
    ) throws(CryptographyError) {
        guard tweak.count == blockCount else {
            throw .invalidLength(argument: "tweak", found: tweak.count)
        }
        guard !message.isEmpty, message.count.isMultiple(of: blockCount),
            message.count <= maximumCount
        else { throw .invalidLength(argument: "message", found: message.count) }
        let tweak = WideBlock(tweak, at: 0)

        // Block j is masked with 2^(j-1)·L, before and after.
        apply(mask, to: message)
        try cipher.transform(message)

        // MP = PPP_1 ⊕ … ⊕ PPP_m ⊕ T;  MC = E(MP);  M = MP ⊕ MC.
        var sum = tweak
        for offset in stride(from: 0, to: message.count, by: blockCount) {
            sum ^= WideBlock(UnsafeRawBufferPointer(message), at: offset)
        }
        let enciphered = try cipher.transformed(sum)
        var multiplier = sum ^ enciphered

        // CCC_j = PPP_j ⊕ 2^(j-1)·M;  CCC_1 = MC ⊕ CCC_2 ⊕ … ⊕ CCC_m ⊕ T.
        var first = enciphered ^ tweak
        for offset in stride(from: blockCount, to: message.count, by: blockCount) {
            multiplier = multiplier.doubled
            let outer = WideBlock(UnsafeRawBufferPointer(message), at: offset) ^ multiplier
            outer.store(into: message, at: offset)
            first ^= outer
        }
        first.store(into: message, at: 0)

        try cipher.transform(message)
        apply(mask, to: message)
    }

    private static func apply(_ mask: WideBlock, to message: UnsafeMutableRawBufferPointer) {
        var mask = mask
        for offset in stride(from: 0, to: message.count, by: blockCount) {
            let block = WideBlock(UnsafeRawBufferPointer(message), at: offset) ^ mask
            block.store(into: message, at: offset)
            mask = mask.doubled
        }
    }
}

/// Sixteen bytes as an element of GF(2^128), little-endian as the paper has it.
private struct WideBlock {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// The element 0.
    init() {}

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        low = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        high = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
        )
    }

    func store(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        bytes.storeBytes(of: low.littleEndian, toByteOffset: offset, as: UInt64.self)
        bytes.storeBytes(of: high.littleEndian, toByteOffset: offset + 8, as: UInt64.self)
    }

    /// Twice the element, in time that does not depend on it.
    var doubled: WideBlock {
        var result = WideBlock()
        result.low = low << 1 ^ (0x87 & (0 &- high >> 63))
        result.high = high << 1 | low >> 63
        return result
    }

    static func ^ (left: WideBlock, right: WideBlock) -> WideBlock {
        var result = left
        result ^= right
        return result
    }

    static func ^= (left: inout WideBlock, right: WideBlock) {
        left.low ^= right.low
        left.high ^= right.high
    }
}

private func lending(
    _ message: inout [UInt8],
    _ tweak: [UInt8],
    _ body: (
        UnsafeMutableRawBufferPointer, UnsafeRawBufferPointer
    ) throws(CryptographyError) -> Void
) throws(CryptographyError) {
    try message.withUnsafeMutableBufferPointer { message throws(CryptographyError) in
        try tweak.withUnsafeBufferPointer { tweak throws(CryptographyError) in
            try body(UnsafeMutableRawBufferPointer(message), UnsafeRawBufferPointer(tweak))
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

    /// Every block in place.
    func transform(_ blocks: UnsafeMutableRawBufferPointer) throws(CryptographyError) {
        try openSSL("EVP_CipherUpdate") {
            var written: Int32 = 0
            return EVP_CipherUpdate(
                context,
                blocks.bytes,
                &written,
                blocks.bytes,
                Int32(blocks.count)
            )
        }
    }

    func transformed(_ block: WideBlock) throws(CryptographyError) -> WideBlock {
        var block = block
        try withUnsafeMutableBytes(of: &block) { bytes throws(CryptographyError) in
            let value = WideBlock(UnsafeRawBufferPointer(bytes), at: 0)
            value.store(into: bytes, at: 0)
            try transform(bytes)
        }
        return block
    }
}
