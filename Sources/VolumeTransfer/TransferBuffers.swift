internal import CryptFS
internal import Cryptography
internal import Glibc

/// Memory that one thread transfers with: a piece of content, and as much of it sealed.
///
/// Zeroed when it goes, for it holds plaintext.
final class TransferBuffers {
    /// Content that is read or written at once, in bytes: whole blocks of either format.
    static let pieceCount = 16 * SealedFile.blockCount

    /// The same of whichever format and cipher makes it longest.
    private static let sealedCount = 16 * SealedFile.sealedBlockCount + pieceCount / 64

    /// Content on its way.
    let plain: UnsafeMutableRawBufferPointer

    /// Content read back, to compare.
    let again: UnsafeMutableRawBufferPointer

    /// Sealed content.
    let sealed: UnsafeMutableRawBufferPointer

    init() {
        plain = .allocate(byteCount: Self.pieceCount, alignment: 4096)
        again = .allocate(byteCount: Self.pieceCount, alignment: 4096)
        sealed = .allocate(byteCount: Self.sealedCount, alignment: 4096)
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
