internal import Cryptography
internal import Linux

/// Changed pages that do not fit in memory until they are stored in final form.
///
/// A file without a name, in the storage, gone with its descriptor. Page i lies at i × 4120:
///
/// | offset | bytes | content |
/// | --- | --- | --- |
/// | 0 | 8 | counter, little-endian |
/// | 8 | 4096 | ciphertext |
/// | 4104 | 16 | tag |
///
/// XChaCha20-Poly1305 under a random key that is only in memory; nonce = counter ‖ 16 zeros;
/// associated data = page index. The key belongs to this file alone and the counter goes up with
/// every page sealed, written or not, so no nonce is used twice with it.
final class StagingFile {
    /// Bytes of a page; not the machine's.
    static let pageCount = 4096

    private static let cellCount = 8 + pageCount + XChaCha20Poly1305.tagCount

    private let descriptor: OwnedDescriptor
    private let key = SecretBytes.random(count: XChaCha20Poly1305.keyCount)
    private var counter: UInt64 = 0

    /// - Parameter descriptor: Of an empty file that nobody else has, for reading and writing.
    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    /// Seals successive pages.
    ///
    /// - Parameters:
    ///   - first: The first page's index.
    ///   - plain: Whole pages.
    ///   - sealed: Room for 4120 bytes a page.
    /// - Throws: What writing failed with.
    func write(
        pagesFrom first: UInt64,
        _ plain: UnsafeRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        let pages = plain.count / Self.pageCount
        for page in 0..<pages {
            let start = page * Self.cellCount
            let cell = UnsafeMutableRawBufferPointer(
                rebasing: sealed[start..<start + Self.cellCount]
            )
            let plainStart = page * Self.pageCount
            counter += 1
            cell.storeBytes(of: counter.littleEndian, as: UInt64.self)
            withNonceAndIndex(counter, first + UInt64(page)) { nonce, index in
                XChaCha20Poly1305.seal(
                    UnsafeRawBufferPointer(
                        rebasing: plain[plainStart..<plainStart + Self.pageCount]
                    ),
                    key: key,
                    nonce: nonce,
                    associatedData: index,
                    into: UnsafeMutableRawBufferPointer(rebasing: cell[8...])
                )
            }
        }
        try FileCall.write(
            descriptor.rawValue,
            at: first * UInt64(Self.cellCount),
            UnsafeRawBufferPointer(rebasing: sealed[..<(pages * Self.cellCount)])
        )
    }

    /// Opens successive pages, all of which were written.
    ///
    /// - Parameters:
    ///   - first: The first page's index.
    ///   - plain: Receives whole pages.
    ///   - sealed: Room for 4120 bytes a page.
    /// - Throws: `EIO` when a page is not what was written last or earlier.
    func read(
        pagesFrom first: UInt64,
        into plain: UnsafeMutableRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        let pages = plain.count / Self.pageCount
        let part = UnsafeMutableRawBufferPointer(rebasing: sealed[..<(pages * Self.cellCount)])
        let read = try FileCall.read(
            descriptor.rawValue,
            at: first * UInt64(Self.cellCount),
            into: part
        )
        guard read == part.count else { throw .inputOutput }
        for page in 0..<pages {
            let start = page * Self.cellCount
            let cell = UnsafeRawBufferPointer(rebasing: part[start..<start + Self.cellCount])
            let plainStart = page * Self.pageCount
            let counter = UInt64(littleEndian: cell.loadUnaligned(as: UInt64.self))
            let isAuthentic = withNonceAndIndex(counter, first + UInt64(page)) { nonce, index in
                do throws(CryptographyError) {
                    try XChaCha20Poly1305.open(
                        UnsafeRawBufferPointer(rebasing: cell[8...]),
                        key: key,
                        nonce: nonce,
                        associatedData: index,
                        into: UnsafeMutableRawBufferPointer(
                            rebasing: plain[plainStart..<plainStart + Self.pageCount]
                        )
                    )
                    return true
                } catch {
                    return false
                }
            }
            guard isAuthentic else { throw .inputOutput }
        }
    }

    private func withNonceAndIndex<Result>(
        _ counter: UInt64,
        _ index: UInt64,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let nonce = (counter.littleEndian, UInt64(0), UInt64(0))
        return withUnsafeBytes(of: nonce) { nonce in
            withUnsafeBytes(of: index.littleEndian) { index in body(nonce, index) }
        }
    }
}
