internal import Linux

/// The memory one thread works in, made once and used for every request.
///
/// A request arrives in ``request``. A read puts the answer's plaintext into ``plain``, which is
/// the same memory behind the request's header; a write finds its plaintext there. ``sealed`` takes
/// ciphertext, in both directions.
final class Scratch: @unchecked Sendable {
    // Unchecked: belongs to one thread.

    /// The most bytes one request of the kernel's carries: a write's.
    static let requestLimit = 1 << 20

    /// The most bytes one request reads: fewer, so that several are worked on at once, each within a
    /// processor's own cache.
    static let readLimit = 256 << 10

    /// What precedes a write's bytes in a request, and more than any other request's length.
    static let requestHeaderCount = 4096

    /// Room for a whole request where it does not begin and end at blocks: one block more.
    static let plainCount = requestLimit + (64 << 10)

    private let requestMemory: ProtectedBuffer
    private let sealedMemory: ProtectedBuffer
    private let blockMemory: ProtectedBuffer

    /// Set by whoever used more than a few pages.
    var isUsed = false

    /// What a format keeps for each thread, such as an expanded key.
    var formatState: AnyObject?

    /// Maps the buffers; touches none of them.
    init() throws(Errno) {
        requestMemory = try ProtectedBuffer(count: Self.requestHeaderCount + Self.plainCount)
        // Every 4096 bytes carry at most 40 more: XChaCha20-Poly1305's nonce and tag.
        sealedMemory = try ProtectedBuffer(count: Self.plainCount + Self.plainCount / 100)
        blockMemory = try ProtectedBuffer(count: 2 * (64 << 10))
    }

    /// Where a request is received: header and, of a write, the bytes.
    var request: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            rebasing: requestMemory.bytes[..<(Self.requestHeaderCount + Self.requestLimit)]
        )
    }

    /// Plaintext going out; not to be touched while a write's bytes are there.
    var plain: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: requestMemory.bytes[Self.requestHeaderCount...])
    }

    /// Ciphertext.
    var sealed: UnsafeMutableRawBufferPointer { sealedMemory.bytes }

    /// One block of plaintext, also while a write's bytes are in ``plain``.
    var block: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: blockMemory.bytes[..<(64 << 10)])
    }

    /// Ciphertext of one small block, also while ``sealed`` has what is to be stored.
    var mergeRoom: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: blockMemory.bytes[(64 << 10)...])
    }

    /// Whether swapping is kept off all of it.
    var isLocked: Bool {
        requestMemory.isLocked && sealedMemory.isLocked && blockMemory.isLocked
    }

    /// Wipes everything and gives the memory back.
    func release() {
        requestMemory.release()
        sealedMemory.release()
        blockMemory.release()
        isUsed = false
    }
}
