internal import CryptFS
internal import Cryptography
internal import Glibc

/// Memory that one thread transfers with: sixteen blocks, and as many sealed.
///
/// Zeroed when it goes, for it holds plaintext.
final class TransferBuffers {
    static let blocks = 16

    /// Content on its way.
    let plain: UnsafeMutableRawBufferPointer

    /// Content read back, to compare.
    let again: UnsafeMutableRawBufferPointer

    /// Sealed content.
    let sealed: UnsafeMutableRawBufferPointer

    init() {
        plain = .allocate(byteCount: Self.blocks * SealedFile.blockCount, alignment: 4096)
        again = .allocate(byteCount: Self.blocks * SealedFile.blockCount, alignment: 4096)
        sealed = .allocate(byteCount: Self.blocks * SealedFile.sealedBlockCount, alignment: 4096)
    }

    /// Whether both have the same content, of `count` bytes.
    func isEqual(_ count: Int) -> Bool {
        guard let plain = plain.baseAddress, let again = again.baseAddress else { return true }
        return memcmp(plain, again, count) == 0
    }

    deinit {
        for buffer in [plain, again, sealed] {
            Wipe.zero(buffer)
            buffer.deallocate()
        }
    }
}
