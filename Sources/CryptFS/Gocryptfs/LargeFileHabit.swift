internal import Synchronization

/// Which part of a file that is being written from one end to the other may be on its way to the disk already.
///
/// Only of what is written in large pieces, and much of it: a file that is gone again soon costs nothing.
struct LargeFileHabit: ~Copyable {
    /// Bytes written in large pieces since all was on the disk.
    private let written = Atomic<UInt64>(0)

    /// Where the furthest piece ended.
    private let end = Atomic<UInt64>(0)

    /// Where the first piece began of which the disk was not told.
    private let start = Atomic<UInt64>(Self.nowhere)
    private let isBusy = Atomic<Bool>(false)

    /// Behind every file, and no more: `Atomic.min` of Swift 6.3 takes larger numbers for negative ones.
    private static let nowhere = UInt64(Int64.max)

    private static let largePiece = 128 << 10
    private static let muchWritten: UInt64 = 8 << 20

    /// A page of the storage, which is not to be written while it is to be filled up.
    private static let page: UInt64 = 4096

    /// A piece was written.
    ///
    /// - Parameters:
    ///   - offset: Where it is stored, in bytes.
    ///   - count: How long it is there, in bytes.
    ///   - begin: Has a range of the file begin to be written. It may wait for the disk; other threads do
    ///     not meanwhile.
    borrowing func noteWrite(
        at offset: UInt64,
        count: Int,
        _ begin: (Range<UInt64>) -> Void
    ) {
        guard count >= Self.largePiece else { return }
        self.start.min(offset / Self.page * Self.page, ordering: .relaxed)
        end.max(offset + UInt64(count), ordering: .relaxed)
        let written = written.wrappingAdd(UInt64(count), ordering: .relaxed).newValue
        guard written > Self.muchWritten, !isBusy.exchange(true, ordering: .acquiring) else {
            return
        }
        defer { isBusy.store(false, ordering: .releasing) }
        let upTo = end.load(ordering: .relaxed) / Self.page * Self.page
        let from = self.start.exchange(upTo, ordering: .relaxed)
        if from < upTo { begin(from..<upTo) }
    }

    /// All that was written had to be on the disk.
    borrowing func noteSynchronization() {
        written.store(0, ordering: .relaxed)
        end.store(0, ordering: .relaxed)
        start.store(Self.nowhere, ordering: .relaxed)
    }
}
