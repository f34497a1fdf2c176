internal import Cryptography
internal import Linux
internal import Synchronization

/// Memory for blocks of plaintext that wait to be stored: a bounded number for the whole volume.
///
/// Who gets none works without, more slowly.
final class BlockPool: @unchecked Sendable {
    // Unchecked: which part of the memory is whose is under the lock.

    /// Bytes of a block.
    static let blockCount = 64 << 10

    private let memory: ProtectedBuffer
    private let free: Mutex<[Int]>
    private let count: Int

    /// Maps room for `count` blocks.
    init(count: Int) throws(Errno) {
        self.count = count
        memory = try ProtectedBuffer(count: count * Self.blockCount)
        free = Mutex(Array((0..<count).reversed()))
    }

    /// Takes a block, zeroed; nil when none is left.
    func take() -> UnsafeMutableRawBufferPointer? {
        guard let index = free.withLock({ $0.popLast() }) else { return nil }
        let start = index * Self.blockCount
        return UnsafeMutableRawBufferPointer(
            rebasing: memory.bytes[start..<start + Self.blockCount]
        )
    }

    /// Gives a block back, wiped here; with the last one, the memory too.
    ///
    /// - Parameters:
    ///   - block: From ``take()``.
    ///   - used: How many bytes from the block's beginning may be other than zero.
    func give(_ block: UnsafeMutableRawBufferPointer, used: Int) {
        Wipe.zero(UnsafeMutableRawBufferPointer(rebasing: block[..<used]))
        guard let base = memory.bytes.baseAddress, let start = block.baseAddress else { return }
        let index = (start - base) / Self.blockCount
        free.withLock { free in
            free.append(index)
            // More than one was in use: the pages of all are given back at once.
            guard free.count == count, index > 0 else { return }
            memory.release()
        }
    }
}
