/// Hours of certain days of the week, such as `mon-fri 08:00-18:00 +01:00`.
///
/// The hours are those of a clock that is a fixed time ahead of UTC. There is no daylight saving
/// time: its rules would come from a database that the image does not have, and change.
/// Hours whose end comes before their beginning go on past midnight; the day is the one they begin
/// on.
public struct WeekHours: Hashable, Sendable {
    /// Bit 0 is Monday; at least one is set.
    let days: UInt8

    /// Minutes after midnight: 0...1439.
    let start: Int

    /// The first minute after the hours: 1...1440.
    let end: Int

    /// How far the clock is ahead of UTC, in minutes: -840...840.
    let offset: Int

    private static let dayMinutes = 1440
    private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    private static let everyDay: UInt8 = 0x7f

    /// Reads `DAYS HH:MM-HH:MM [±HH:MM]`.
    ///
    /// - Parameter text: Days are `daily`, or names and ranges of names between commas; a range may
    ///   go past Sunday. Without an offset, or with `Z`, the hours are UTC.
    /// - Throws: ``RuleError/hours(text:reason:)``.
    public init(parsing text: String) throws(RuleError) {
        func fail(_ reason: String) -> RuleError { .hours(text: text, reason: reason) }
        let words = text.split(separator: " ")
        guard (2...3).contains(words.count) else { throw fail("days, hours and an offset") }
        guard let days = Self.days(words[0]) else {
            throw fail("days are daily, or mon tue wed thu fri sat sun")
        }
        let hours = words[1].split(separator: "-", omittingEmptySubsequences: false)
        guard hours.count == 2, let start = Self.minutes(hours[0]),
            let end = Self.minutes(hours[1]), start < Self.dayMinutes
        else { throw fail("hours are HH:MM-HH:MM, from 00:00 to 24:00") }
        guard start != end else { throw fail("a whole day is 00:00-24:00") }
        guard let offset = words.count == 3 ? Self.offset(words[2]) : 0 else {
            throw fail("the offset from UTC is Z, or +HH:MM or -HH:MM up to 14:00")
        }
        self.days = days
        self.start = start
        // The end of a day is the same moment as the beginning of the next.
        self.end = end == 0 ? Self.dayMinutes : end
        self.offset = offset
    }

    /// Whether a moment lies in the hours.
    ///
    /// - Parameter milliseconds: Since 1970-01-01, UTC.
    /// - Returns: True from the first minute up to, and without, the last.
    public func contains(_ milliseconds: Int) -> Bool {
        let (day, minute) = local(milliseconds)
        if start < end { return isNamed(day) && (start..<end).contains(minute) }
        return isNamed(day) && minute >= start || isNamed(day - 1) && minute < end
    }

    /// How long until the hours next begin.
    ///
    /// - Parameter milliseconds: A moment since 1970-01-01, UTC.
    /// - Returns: Milliseconds, more than 0; at most a week.
    func wait(at milliseconds: Int) -> Int {
        let (today, _) = local(milliseconds)
        let starts = (today...today + 7).filter(isNamed).map { day in
            (day * Self.dayMinutes + start - offset) * 60_000 - milliseconds
        }
        // A day is named, and it comes within the week: there is always one.
        return starts.first { $0 > 0 } ?? 7 * Self.dayMinutes * 60_000
    }

    /// The day, counted from 1970-01-01, and the minute of the day, on the clock of the rule.
    private func local(_ milliseconds: Int) -> (day: Int, minute: Int) {
        let minutes = Self.floor(milliseconds, 60_000).quotient + offset
        let (day, minute) = Self.floor(minutes, Self.dayMinutes)
        return (day, minute)
    }

    private func isNamed(_ day: Int) -> Bool {
        // 1970-01-01 was a Thursday.
        days >> Self.floor(day + 3, 7).remainder & 1 == 1
    }

    /// Division whose remainder is never negative, for moments before 1970.
    private static func floor(_ number: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func days(_ text: Substring) -> UInt8? {
        if text == "daily" { return everyDay }
        var days: UInt8 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count), let first = names.firstIndex(of: String(ends[0])),
                let last = names.firstIndex(of: String(ends[ends.count - 1]))
            else { return nil }
            for day in first...(last < first ? last + 7 : last) { days |= 1 << (day % 7) }
        }
        return days
    }

    /// Reads `HH:MM`, 00:00 to 24:00.
    private static func minutes(_ text: some StringProtocol) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }),
            let hours = parts[0].wholeNumber, let minutes = parts[1].wholeNumber,
            minutes < 60, hours * 60 + minutes <= dayMinutes
        else { return nil }
        return hours * 60 + minutes
    }

    /// Reads `Z`, `+HH:MM` or `-HH:MM`.
    private static func offset(_ text: Substring) -> Int? {
        if text == "Z" { return 0 }
        guard let sign = text.first, "+-".contains(sign), let size = minutes(text.dropFirst()),
            size <= 14 * 60
        else { return nil }
        return sign == "-" ? -size : size
    }
}

extension WeekHours: CustomStringConvertible {
    /// `mon,tue,wed 08:00-18:00 +01:00`: what the initialiser reads.
    public var description: String {
        let names = Self.names.enumerated().filter { days >> $0.offset & 1 == 1 }.map(\.element)
        let when = days == Self.everyDay ? "daily" : names.joined(separator: ",")
        let zone = offset == 0 ? "Z" : (offset < 0 ? "-" : "+") + Self.clock(abs(offset))
        return "\(when) \(Self.clock(start))-\(Self.clock(end)) \(zone)"
    }

    private static func clock(_ minutes: Int) -> String {
        [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
