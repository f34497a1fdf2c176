/// How long to wait between attempts: exponential, with full jitter, so that a fleet that lost its
/// server together does not come back together.
public struct Backoff {
    /// The longest wait after the first failure.
    static let first = Duration.seconds(1)

    /// The longest wait there is.
    static let longest = Duration.seconds(30)

    /// No wait is shorter: an attempt costs the server a handshake.
    static let shortest = Duration.milliseconds(100)

    private var bound = first

    /// Begins anew, as after a success.
    public init() {}

    /// The next wait: anywhere from ``shortest`` to a bound that doubles each time.
    public mutating func next() -> Duration {
        let range = Self.shortest.milliseconds...bound.milliseconds
        bound = min(bound * 2, Self.longest)
        return .milliseconds(Int64.random(in: range))
    }

    /// A wait the server asked for, and up to a fifth more.
    public static func atLeast(_ seconds: Int) -> Duration {
        .milliseconds(Int64.random(in: Int64(seconds) * 1000...Int64(seconds) * 1200))
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
