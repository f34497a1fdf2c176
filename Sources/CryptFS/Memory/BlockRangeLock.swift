/// A lock on ranges of a file's blocks: whoever changes some keeps others off those, and no others.
///
/// A thread holds one range at a time. Allocates once.
final class BlockRangeLock: @unchecked Sendable {
    // Unchecked: the pointer is constant; the slots are under the monitor.

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

    private let monitor = Monitor()
    private let held: UnsafeMutablePointer<Range?>
    private var count = 0
    private var waiting = 0

    init() {
        held = .allocate(capacity: Self.capacity)
        held.initialize(repeating: nil, count: Self.capacity)
    }

    deinit {
        held.deallocate()
    }

    /// Waits until nobody is in the way, and holds a range.
    ///
    /// - Returns: What to give ``release(_:)``.
    func acquire(_ range: Range) -> Int {
        monitor.lock()
        defer { monitor.unlock() }
        while true {
            if let slot = freeSlot(for: range) {
                held[slot] = range
                return slot
            }
            waiting += 1
            monitor.wait()
            waiting -= 1
        }
    }

    /// Lets others have a range.
    func release(_ slot: Int) {
        monitor.lock()
        held[slot] = nil
        let isAwaited = waiting > 0
        monitor.unlock()
        if isAwaited { monitor.broadcast() }
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
