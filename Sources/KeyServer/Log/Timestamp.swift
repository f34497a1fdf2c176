internal import Glibc

/// A moment, in UTC.
///
/// Written by hand, since a formatter would bring the whole of Foundation into the executable.
public struct Timestamp: Equatable, Sendable {
    /// Seconds since 1970-01-01.
    public var seconds: Int

    /// 0...999_999_999.
    public var nanoseconds: Int

    /// A moment by its number.
    public init(seconds: Int, nanoseconds: Int = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The present.
    ///
    /// C: `clock_gettime`.
    public static var now: Timestamp {
        var time = timespec()
        // Cannot fail for this clock.
        _ = clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    /// Before anything else: for what holds whatever the clock says.
    public static let always = Timestamp(seconds: 0)

    /// A moment by its milliseconds since 1970-01-01, as the store keeps it.
    public init(milliseconds: Int) {
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        self.init(seconds: seconds, nanoseconds: rest * 1_000_000)
    }

    /// Milliseconds since 1970-01-01.
    public var milliseconds: Int { seconds * 1000 + nanoseconds / 1_000_000 }

    private var parts: tm {
        var seconds = time_t(seconds)
        var parts = tm()
        _ = gmtime_r(&seconds, &parts)
        return parts
    }

    /// `YYYY-MM-DD`.
    public var date: String {
        let parts = parts
        return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
    }

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// As an HTTP `Date` header has it, RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public var httpDate: String {
        let parts = parts
        return "\(Self.days[Int(parts.tm_wday)]), \(padded(parts.tm_mday))"
            + " \(Self.months[Int(parts.tm_mon)]) \(parts.tm_year + 1900) \(time) GMT"
    }

    /// Reads what ``httpDate`` writes; `nil` for anything else.
    public init?(httpDate text: String) {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT",
            let month = Self.months.firstIndex(of: String(words[2])),
            let day = Int32(words[1]), let year = Int32(words[3])
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int32($0) }
        guard clock.count == 3 else { return nil }
        var parts = tm()
        parts.tm_year = year - 1900
        parts.tm_mon = Int32(month)
        parts.tm_mday = day
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (clock[0], clock[1], clock[2])
        self.init(seconds: timegm(&parts))
    }

    /// Reads `YYYY-MM-DD`, the beginning of that day in UTC, or what ``init(rfc3339:)`` reads.
    ///
    /// - Returns: `nil` for anything else.
    public init?(date text: String) {
        self.init(rfc3339: text.contains("T") ? text : text + "T00:00:00Z")
    }

    /// Reads a moment as RFC 3339 §5.6 writes it: `2026-11-21T09:00:00Z`, `…T10:00:00.250+01:00`.
    ///
    /// - Returns: `nil` for anything else, and for dates there are not.
    public init?(rfc3339 text: String) {
        let form =
            /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))/
        guard text.utf8.allSatisfy({ $0 < 0x80 }), let match = text.wholeMatch(of: form)?.output
        else { return nil }
        let number = { (text: Substring?) in text.flatMap { Int($0) } ?? 0 }
        var parts = tm()
        parts.tm_year = Int32(number(match.1)) - 1900
        parts.tm_mon = Int32(number(match.2)) - 1
        parts.tm_mday = Int32(number(match.3))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) =
            (Int32(number(match.4)), Int32(number(match.5)), Int32(number(match.6)))
        let (hours, minutes) = (number(match.9), number(match.10))
        guard parts.tm_hour < 24, parts.tm_min < 60, parts.tm_sec < 60, hours < 24, minutes < 60
        else { return nil }
        let local = timegm(&parts)
        let offset = (hours * 60 + minutes) * (match.8 == "-" ? -60 : 60)
        let fraction = match.7.map { $0 + String(repeating: "0", count: 9 - $0.count) }
        self.init(seconds: local - offset, nanoseconds: number(fraction))
        // The 31st of February would have become the 3rd of March.
        guard Timestamp(seconds: local).date == text.prefix(10) else { return nil }
    }

    private var time: String {
        let parts = parts
        return "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
    }

    private func padded(_ number: Int32, to count: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 with milliseconds: `2026-01-31T23:59:59.123Z`.
    public var description: String {
        "\(date)T\(time).\(padded(Int32(nanoseconds / 1_000_000), to: 3))Z"
    }
}
