internal import Cryptography

/// The random number in a file's header, which every block of the file is bound to.
///
/// Held as two words, so that none is ever on the heap.
public struct GocryptfsFileID: Equatable, Sendable {
    /// Length in bytes.
    public static let count = 16

    let words: (UInt64, UInt64)

    /// Draws a number: one for every file, and another whenever it gets content after it had none.
    public static func random() -> GocryptfsFileID {
        var words: (UInt64, UInt64) = (0, 0)
        while words == (0, 0) { withUnsafeMutableBytes(of: &words) { RandomBytes.fill($0) } }
        return GocryptfsFileID(words: words)
    }

    /// Copies 16 bytes; nil when there are not as many, or all are zero.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.count else { return nil }
        self.init(
            words: (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        )
        if words == (0, 0) { return nil }
    }

    private init(words: (UInt64, UInt64)) {
        self.words = words
    }

    /// Lends the 16 bytes, without allocating.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Swift.withUnsafeBytes(of: words, body)
    }

    /// Compares all 16 bytes; the number is public.
    public static func == (left: GocryptfsFileID, right: GocryptfsFileID) -> Bool {
        left.words == right.words
    }
}
