internal import CLinux
internal import Cryptography
internal import Glibc
internal import Linux

/// Page-aligned memory for decrypted content: not in core dumps, not swapped where the limit on
/// locked memory allows, wiped before it goes back.
///
/// Pages come into being when first written, so that a large buffer costs what was used of it.
final class ProtectedBuffer: @unchecked Sendable {
    // Unchecked: one thread owns a buffer at a time; who that is, its holder decides.

    /// The memory.
    let bytes: UnsafeMutableRawBufferPointer

    /// Whether the pages are locked against swapping.
    private(set) var isLocked: Bool

    private static let pageCount = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// Maps memory.
    ///
    /// - Parameter count: In bytes; rounded up to whole pages.
    /// - Throws: `ENOMEM`.
    ///
    /// C: `mmap`, `madvise`, `mlock2`.
    init(count: Int) throws(Errno) {
        let count = (count + Self.pageCount - 1) / Self.pageCount * Self.pageCount
        let base = mmap(
            nil,
            count,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | Int32(MAP_ANONYMOUS),
            -1,
            0
        )
        guard let base, base != MAP_FAILED else { throw Errno.current }
        bytes = UnsafeMutableRawBufferPointer(start: base, count: count)
        _ = linux_keep_private(base, count)
        isLocked = linux_lock_on_fault(base, count) == 0
    }

    deinit {
        release()
        munmap(bytes.baseAddress, bytes.count)
    }

    /// Wipes what was used and gives its pages back; the buffer stays usable.
    ///
    /// C: `mincore`, `madvise` with `MADV_DONTNEED`.
    func release() {
        wipeResidentPages()
        // Locked pages cannot be given back.
        if isLocked { munlock(bytes.baseAddress, bytes.count) }
        madvise(bytes.baseAddress, bytes.count, MADV_DONTNEED)
        if isLocked { isLocked = linux_lock_on_fault(bytes.baseAddress, bytes.count) == 0 }
    }

    private func wipeResidentPages() {
        let pages = bytes.count / Self.pageCount
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: pages) { residency in
            guard mincore(bytes.baseAddress, bytes.count, residency.baseAddress) == 0 else {
                Wipe.zero(bytes)
                return
            }
            for page in 0..<pages where residency[page] & 1 == 1 {
                let start = page * Self.pageCount
                Wipe.zero(
                    UnsafeMutableRawBufferPointer(
                        rebasing: bytes[start..<start + Self.pageCount]
                    )
                )
            }
        }
    }
}
