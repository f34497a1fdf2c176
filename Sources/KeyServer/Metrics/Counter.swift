internal import Synchronization

/// A number that any thread counts up or down, without a lock.
final class Counter: Sendable {
    private let number = Atomic(0)

    /// The number now.
    var value: Int { number.load(ordering: .relaxed) }

    /// Counts.
    func add(_ amount: Int = 1) { number.wrappingAdd(amount, ordering: .relaxed) }

    /// Puts another number in its place.
    func set(_ value: Int) { number.store(value, ordering: .relaxed) }
}
