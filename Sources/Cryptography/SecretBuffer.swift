internal import CSodium

/// Secret bytes of a number not known beforehand, such as what arrives over a connection.
///
/// The memory is as ``SecretBytes`` has it, allocated once; it never moves, so nothing is left
/// behind in a smaller block.
///
/// C: `sodium_malloc`, `sodium_free`.
public struct SecretBuffer: ~Copyable {
    /// The most bytes the buffer holds.
    public let capacity: Int

    /// The number of bytes it holds.
    public private(set) var count = 0

    private let base: UnsafeMutableRawPointer

    /// Allocates an empty buffer.
    ///
    /// - Parameter capacity: 0 or more.
    public init(capacity: Int) {
        SecretBytes.libraryIsReady
        // Memory that cannot be had leaves nothing to go on with: the same as for any Swift object.
        guard let base = sodium_malloc(max(capacity, 1)) else {
            preconditionFailure("sodium_malloc could not allocate \(capacity) bytes")
        }
        self.base = base
        self.capacity = capacity
    }

    deinit {
        sodium_free(base)
    }

    /// Lets `body` write behind what is there already.
    ///
    /// - Parameter body: Takes the free part, returns how many bytes it wrote from its start; not
    ///   called when the buffer is full.
    /// - Returns: What `body` returned, 0 when the buffer is full.
    /// - Throws: What `body` throws.
    public mutating func append<Failure: Error>(
        reading body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        let free = UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
        guard !free.isEmpty else { return 0 }
        let written = try body(free)
        count += min(max(written, 0), free.count)
        return written
    }

    /// Copies bytes behind what is there already.
    ///
    /// - Returns: Whether they fitted; if not, nothing was copied.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= capacity - count else { return false }
        UnsafeMutableRawBufferPointer(start: base + count, count: bytes.count)
            .copyMemory(from: bytes)
        count += bytes.count
        return true
    }

    /// Lends the bytes for the duration of `body`.
    ///
    /// Do not copy them into a `String` or an `Array`: neither is wiped.
    public borrowing func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Wipes the bytes and starts over.
    public mutating func removeAll() {
        sodium_memzero(base, count)
        count = 0
    }

    /// A copy that does not change any more.
    public borrowing func copy() -> SecretBytes {
        withUnsafeBytes { SecretBytes(copying: $0) }
    }
}
