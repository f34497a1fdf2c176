internal import Cryptography

/// The random number in a file's header, from which every block's nonce follows.
///
/// Twenty-four bytes, taken as one little-endian number of 192 bits: block n is sealed under the
/// number plus n, modulo 2^192. Held as three words, so that no nonce is ever on the heap.
public struct FileNonce: Equatable, Sendable {
    /// Length in bytes.
    public static let count = SecretBox.nonceCount

    private var words: (UInt64, UInt64, UInt64)

    /// Draws a nonce: for each rewriting of a file, a new one.
    public static func random() -> FileNonce {
        var nonce = FileNonce(words: (0, 0, 0))
        withUnsafeMutableBytes(of: &nonce.words) { RandomBytes.fill($0) }
        return nonce
    }

    /// Copies 24 bytes; nil when there are not as many.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.count else { return nil }
        words = (
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        )
    }

    private init(words: (UInt64, UInt64, UInt64)) {
        self.words = words
    }

    /// The nonce of one block.
    ///
    /// - Parameter index: Zero-based.
    /// - Returns: This number plus `index`.
    public func forBlock(_ index: UInt64) -> FileNonce {
        let (low, lowCarry) = words.0.addingReportingOverflow(index)
        let (middle, middleCarry) = words.1.addingReportingOverflow(lowCarry ? 1 : 0)
        return FileNonce(words: (low, middle, words.2 &+ (middleCarry ? 1 : 0)))
    }

    /// Lends the 24 bytes, without allocating.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let stored = (words.0.littleEndian, words.1.littleEndian, words.2.littleEndian)
        return try Swift.withUnsafeBytes(of: stored, body)
    }

    /// Compares all 24 bytes; nonces are public.
    public static func == (left: FileNonce, right: FileNonce) -> Bool {
        left.words == right.words
    }
}
