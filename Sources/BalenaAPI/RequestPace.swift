internal import Glibc

/// Keeps requests apart, so that a push for a thousand devices is no burst.
struct RequestPace {
    private let interval: Duration
    private var next = ContinuousClock.now

    /// - Parameter perSecond: The most requests a second, 1 or more.
    init(perSecond: Int) {
        interval = .seconds(1) / perSecond
    }

    /// Waits until the next request may begin.
    mutating func wait() {
        Self.sleep(ContinuousClock.now.duration(to: next))
        next = max(next, ContinuousClock.now).advanced(by: interval)
    }

    /// Sleeps, signals or not.
    ///
    /// C: `nanosleep`.
    static func sleep(_ duration: Duration) {
        guard duration > .zero else { return }
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        var left = timespec()
        while nanosleep(&time, &left) != 0, errno == EINTR { time = left }
    }
}
