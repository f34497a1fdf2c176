internal import CSodium

/// A fixed number of secret bytes in memory of their own.
///
/// The memory is locked against swapping where the limit allows, left out of core dumps, fenced by
/// guard pages, and zeroed when the last reference goes. The bytes do not change after
/// initialisation, so references may be shared between threads. A description shows the length
/// only.
///
/// C: `sodium_malloc`, `sodium_free`.
public final class SecretBytes: Sendable {
    /// The number of bytes.
    public let count: Int

    // The pointer is written to only inside `init`, and freed only by `deinit`.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer

    /// Allocates `count` zeroed bytes and lets `body` fill them.
    ///
    /// - Parameters:
    ///   - count: 0 or more.
    ///   - body: Fills the buffer; the memory is wiped if it throws.
    /// - Throws: What `body` throws.
    public init<Failure: Error>(
        count: Int,
        initializingWith body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        Self.libraryIsReady
        // Memory that cannot be had leaves nothing to go on with: the same as for any Swift object.
        guard let base = sodium_malloc(max(count, 1)) else {
            preconditionFailure("sodium_malloc could not allocate \(count) bytes")
        }
        sodium_memzero(base, max(count, 1))
        self.base = base
        self.count = count
        try body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }

    /// Copies bytes; the caller wipes its own copy.
    public convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// Copies bytes that are no secret yet, or no longer, such as test vectors.
    public convenience init(copying bytes: some Collection<UInt8>) {
        self.init(count: bytes.count) { $0.copyBytes(from: bytes) }
    }

    /// Draws bytes from the system's generator.
    ///
    /// C: `randombytes_buf`.
    public static func random(count: Int) -> SecretBytes {
        SecretBytes(count: count) { randombytes_buf($0.bytes, $0.count) }
    }

    /// Joins secrets, in order.
    public static func concatenating(_ parts: [SecretBytes]) -> SecretBytes {
        SecretBytes(count: parts.reduce(0) { $0 + $1.count }) { whole in
            var offset = 0
            for part in parts {
                part.withUnsafeBytes { bytes in
                    whole[offset..<offset + part.count].copyBytes(from: bytes)
                }
                offset += part.count
            }
        }
    }

    deinit {
        sodium_free(base)
    }

    /// Lends the bytes for the duration of `body`.
    ///
    /// Do not copy them into a `String` or an `Array`: neither is wiped.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// A copy of part of the bytes.
    ///
    /// - Parameter range: Within `0..<count`.
    /// - Returns: `range.count` bytes in memory of their own.
    public func slice(_ range: Range<Int>) -> SecretBytes {
        withUnsafeBytes { SecretBytes(copying: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// Compares in time that depends only on the lengths.
    ///
    /// C: `sodium_memcmp`.
    public func isEqual(to other: SecretBytes) -> Bool {
        count == other.count && sodium_memcmp(base, other.base, count) == 0
    }

    /// `sodium_init` may be called from any thread, and must have been before anything else.
    static let libraryIsReady: Void = {
        guard sodium_init() >= 0 else { preconditionFailure("sodium_init failed") }
    }()
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The length, never the bytes.
    public var description: String { "<secret, \(count) bytes>" }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// No children, so that `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
