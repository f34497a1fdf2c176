internal import CLinux
internal import Glibc

/// A point of the monotonic clock, which no one sets.
///
/// The corresponding C function is `clock_gettime` with `CLOCK_MONOTONIC`.
public struct Instant: Comparable, Sendable {
    /// Nanoseconds since the machine started.
    public let nanoseconds: Int64

    /// Wraps nanoseconds since the machine started.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Now.
    public static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    /// The point that many milliseconds after this one; the far end of time where that is later.
    public func advanced(byMilliseconds milliseconds: Int64) -> Instant {
        let (product, tooMuch) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, tooLate) = nanoseconds.addingReportingOverflow(product)
        return Instant(nanoseconds: tooMuch || tooLate ? .max : sum)
    }

    /// Milliseconds from another point to this one.
    public func milliseconds(since earlier: Instant) -> Int64 {
        (nanoseconds &- earlier.nanoseconds) / 1_000_000
    }

    /// Whether this one is earlier.
    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
