internal import Synchronization

/// Whether whoever writes a file asks for every few writes to be on the disk, as a database does.
///
/// A guess from what was done so far; wrong, it costs a write to the disk that would have come later.
struct SynchronizationHabit: ~Copyable {
    private let writes = Atomic<Int>(0)
    private let isLikely = Atomic<Bool>(false)

    /// More writes than this in between, and waiting for them is not what takes long.
    private static let fewWrites = 8

    /// Something was written.
    ///
    /// - Returns: Whether it will soon have to be on the disk.
    borrowing func noteWrite() -> Bool {
        let count = writes.wrappingAdd(1, ordering: .relaxed).newValue
        return count <= Self.fewWrites && isLikely.load(ordering: .relaxed)
    }

    /// All that was written had to be on the disk.
    borrowing func noteSynchronization() {
        let count = writes.exchange(0, ordering: .relaxed)
        isLikely.store((1...Self.fewWrites).contains(count), ordering: .relaxed)
    }
}
