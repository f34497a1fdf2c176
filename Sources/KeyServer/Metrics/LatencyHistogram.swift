/// How long something took, in classes: a histogram as Prometheus has them.
final class LatencyHistogram: Sendable {
    /// The upper ends of the classes: in nanoseconds, and as they are written, in seconds.
    private static let bounds: [(nanoseconds: Int64, label: String)] = [
        (500_000, "0.0005"), (1_000_000, "0.001"), (2_500_000, "0.0025"), (5_000_000, "0.005"),
        (10_000_000, "0.01"), (25_000_000, "0.025"), (50_000_000, "0.05"),
        (100_000_000, "0.1"), (250_000_000, "0.25"), (500_000_000, "0.5"),
        (1_000_000_000, "1"), (2_500_000_000, "2.5"), (5_000_000_000, "5"),
        (10_000_000_000, "10"),
    ]

    /// One for each class, and one for what took longer.
    private let counters = (0...LatencyHistogram.bounds.count).map { _ in Counter() }
    private let sum = Counter()

    /// Counts one.
    ///
    /// - Parameter nanoseconds: How long it took.
    func observe(nanoseconds: Int64) {
        let place = Self.bounds.firstIndex { nanoseconds <= $0.nanoseconds }
        counters[place ?? Self.bounds.count].add()
        sum.add(Int(nanoseconds))
    }

    /// How many took at most as long as each class's end, `+Inf` last.
    var cumulative: [(label: String, count: Int)] {
        var total = 0
        return zip(Self.bounds.map(\.label) + ["+Inf"], counters).map { label, counter in
            total += counter.value
            return (label, total)
        }
    }

    /// All times together.
    var seconds: Double { Double(sum.value) / 1e9 }
}
