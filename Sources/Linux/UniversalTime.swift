internal import CLinux
internal import Glibc

/// A time of day as RFC 3339 writes it, in UTC, to the millisecond.
public enum UniversalTime {
    /// Now.
    public static var now: String { text(millisecondsAgo: 0) }

    /// A moment that has passed, by the clock as it is set now.
    public static func text(millisecondsAgo milliseconds: Int64) -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        time.tv_sec -= Int(milliseconds / 1000)
        time.tv_nsec -= Int(milliseconds % 1000 * 1_000_000)
        if time.tv_nsec < 0 {
            time.tv_sec -= 1
            time.tv_nsec += 1_000_000_000
        }
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        let date =
            "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let clock =
            "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(padded(Int32(time.tv_nsec / 1_000_000), 3))Z"
    }

    private static func padded(_ number: Int32, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
