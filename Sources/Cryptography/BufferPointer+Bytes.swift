// Never read or written through: libsodium's functions want an address even for no bytes at all.
private nonisolated(unsafe) let emptyBuffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)

extension UnsafeRawBufferPointer {
    /// The address as C functions take it; never null.
    var bytes: UnsafePointer<UInt8> {
        baseAddress?.assumingMemoryBound(to: UInt8.self) ?? UnsafePointer(emptyBuffer)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The address as C functions take it; never null.
    var bytes: UnsafeMutablePointer<UInt8> {
        baseAddress?.assumingMemoryBound(to: UInt8.self) ?? emptyBuffer
    }
}
