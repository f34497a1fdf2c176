internal import Synchronization

/// Counters told apart by the values of their labels; a new one is made when first needed.
///
/// A list that is only ever appended to, so nobody waits for anybody. The values come from this
/// program, never from a request: there are a few dozen at most.
final class CounterFamily: Sendable {
    private final class Member: Sendable {
        let values: [String]
        let counter = Counter()
        let next = AtomicLazyReference<Member>()

        init(_ values: [String]) { self.values = values }
    }

    /// The labels' names.
    let labels: [String]

    private let first = AtomicLazyReference<Member>()

    /// - Parameter labels: Their names.
    init(_ labels: String...) { self.labels = labels }

    /// Counts one.
    ///
    /// - Parameter values: The labels' values, in the order of their names.
    func add(_ values: String...) { member(values).counter.add() }

    /// Shows a counter before there is anything to count: Prometheus sees no growth in one that
    /// begins at 1.
    func declare(_ values: String...) { _ = member(values).counter }

    private func member(_ values: [String]) -> Member {
        // Each thread that finds the end offers a member; all go on with the one that was first.
        var member = first.load() ?? first.storeIfNil(Member(values))
        while member.values != values {
            member = member.next.load() ?? member.next.storeIfNil(Member(values))
        }
        return member
    }

    /// What has been counted.
    var counts: [(values: [String], count: Int)] {
        var counts: [(values: [String], count: Int)] = []
        var next = first.load()
        while let member = next {
            counts.append((member.values, member.counter.value))
            next = member.next.load()
        }
        return counts
    }
}
