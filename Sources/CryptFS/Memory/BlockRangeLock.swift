internal import Glibc

/// A lock on ranges of a file's blocks: whoever changes some keeps others off those, and no others.
///
/// A thread holds one range at a time. Allocates once. C: `pthread_mutex_t`, `pthread_cond_t`.
final class BlockRangeLock: @unchecked Sendable {
    // Unchecked: the pointers are constant; the slots are under the mutex.

    /// Consecutive blocks, and what is done to them.
    struct Range {
        let first: UInt64
        let last: UInt64
        let isExclusive: Bool

        fileprivate func conflicts(with other: Range) -> Bool {
            first <= other.last && other.first <= last && (isExclusive || other.isExclusive)
        }
    }

    /// More than there are threads.
    private static let capacity = 32

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private let held: UnsafeMutablePointer<Range?>
    private var count = 0
    private var waiting = 0

    init() {
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        held = .allocate(capacity: Self.capacity)
        held.initialize(repeating: nil, count: Self.capacity)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        changed.deallocate()
        held.deallocate()
    }

    /// Waits until nobody is in the way, and holds a range.
    ///
    /// - Returns: What to give ``release(_:)``.
    func acquire(_ range: Range) -> Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let slot = freeSlot(for: range) {
                held[slot] = range
                return slot
            }
            waiting += 1
            pthread_cond_wait(changed, mutex)
            waiting -= 1
        }
    }

    /// Lets others have a range.
    func release(_ slot: Int) {
        pthread_mutex_lock(mutex)
        held[slot] = nil
        let isAwaited = waiting > 0
        pthread_mutex_unlock(mutex)
        if isAwaited { pthread_cond_broadcast(changed) }
    }

    /// A slot for a range; nil where somebody is in the way.
    private func freeSlot(for range: Range) -> Int? {
        var free: Int?
        for slot in 0..<Self.capacity {
            guard let other = held[slot] else {
                if free == nil { free = slot }
                continue
            }
            if range.conflicts(with: other) { return nil }
        }
        return free
    }
}
