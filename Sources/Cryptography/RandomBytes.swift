internal import CSodium

/// Public random bytes: nonces, salts, identifiers.
///
/// C: `randombytes_buf`.
public enum RandomBytes {
    /// Fills a buffer.
    public static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        SecretBytes.libraryIsReady
        randombytes_buf(buffer.bytes, buffer.count)
    }

    /// Returns `count` bytes.
    public static func make(count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }
}

/// Wiping of memory that held a secret for a moment.
public enum Wipe {
    /// Zeroes a buffer in a way the optimiser does not remove.
    ///
    /// C: `sodium_memzero`.
    public static func zero(_ buffer: UnsafeMutableRawBufferPointer) {
        sodium_memzero(buffer.bytes, buffer.count)
    }
}
