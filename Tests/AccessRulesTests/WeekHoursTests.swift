import AccessRules
import Foundation
import TestSupport
import Testing

@Suite struct `Hours of the week` {
    /// 2026-11-23 is a Monday.
    private static func moment(_ text: String) throws -> Int {
        let date = try Date(text, strategy: .iso8601)
        return Int(date.timeIntervalSince1970 * 1000)
    }

    @Test(arguments: [
        // hours, a moment within, one outside
        ("mon-fri 08:00-18:00", "2026-11-23T08:00:00Z", "2026-11-23T07:59:59Z"),
        ("mon-fri 08:00-18:00", "2026-11-27T17:59:59Z", "2026-11-27T18:00:00Z"),
        ("mon-fri 08:00-18:00", "2026-11-24T12:00:00Z", "2026-11-28T12:00:00Z"),
        ("mon 08:00-18:00 +01:00", "2026-11-23T07:00:00Z", "2026-11-23T17:00:00Z"),
        ("mon 00:00-24:00 +14:00", "2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("mon 00:00-24:00 -05:30", "2026-11-24T05:29:59Z", "2026-11-23T05:29:59Z"),
        // Past midnight: the night that begins on Friday.
        ("fri 22:00-06:00", "2026-11-28T05:59:59Z", "2026-11-27T05:59:59Z"),
        ("fri 22:00-06:00", "2026-11-27T22:00:00Z", "2026-11-28T22:00:00Z"),
        // A range past Sunday.
        ("sat-mon 00:00-24:00", "2026-11-23T23:59:59Z", "2026-11-24T00:00:00Z"),
        ("daily 22:00-00:00", "2026-11-24T23:59:59Z", "2026-11-25T00:00:00Z"),
        ("tue,thu 10:00-10:01", "2026-11-26T10:00:59Z", "2026-11-25T10:00:30Z"),
        // Before 1970, where remainders are negative.
        ("wed 23:00-24:00", "1969-12-31T23:30:00Z", "1969-12-31T22:30:00Z"),
    ])
    func `hold what lies in them`(text: String, within: String, outside: String) throws {
        let hours = try WeekHours(parsing: text)
        #expect(hours.contains(try Self.moment(within)))
        #expect(!hours.contains(try Self.moment(outside)))
        #expect(try WeekHours(parsing: "\(hours)") == hours, "\(hours)")
    }

    @Test(arguments: [
        "", "mon", "mon 08:00", "mon 08:00-", "mon 8:00-18:00", "mon 08:00-24:01",
        "mon 24:00-08:00",
        "mon 08:60-09:00", "mon 08:00-08:00", "funday 08:00-18:00", "mon- 08:00-18:00",
        "mon-tue-wed 08:00-18:00", ",mon 08:00-18:00", "mon 08:00-18:00 CET",
        "mon 08:00-18:00 +1", "mon 08:00-18:00 +14:01", "mon 08:00-18:00 01:00",
        "mon 08:00-18:00 Z Z", "mon 0８:00-18:00", "MON 08:00-18:00",
    ])
    func `are not guessed from anything else`(text: String) {
        #expect(throws: RuleError.self) { try WeekHours(parsing: text) }
    }

    /// Foundation's calendar, asked minute by minute, is the second opinion.
    @Test func `are the calendar's, at random moments`() throws {
        var random = Generator(state: 7)
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        for _ in 0..<2000 {
            let days = names.filter { _ in Bool.random(using: &random) }
            guard !days.isEmpty else { continue }
            let start = Int.random(in: 0..<1440, using: &random)
            let end = Int.random(in: 1...1440, using: &random)
            guard start != end else { continue }
            let offset = Int.random(in: -840...840, using: &random)
            let clock = { (minutes: Int) in
                String(format: "%02d:%02d", minutes / 60, minutes % 60)
            }
            let sign = offset < 0 ? "-" : "+"
            let hours = try WeekHours(
                parsing: "\(days.joined(separator: ",")) \(clock(start))-\(clock(end)) "
                    + sign + clock(abs(offset))
            )
            let moment = Int.random(in: -4_000_000_000...4_000_000_000, using: &random)
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = try #require(TimeZone(secondsFromGMT: offset * 60))
            let date = Date(timeIntervalSince1970: Double(moment))
            let parts = calendar.dateComponents([.weekday, .hour, .minute], from: date)
            let minute = (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
            // Foundation counts from Sunday, 1.
            let today = names[((parts.weekday ?? 1) + 5) % 7]
            let yesterday = names[((parts.weekday ?? 1) + 4) % 7]
            let expected =
                end > start
                ? days.contains(today) && minute >= start && minute < end
                : days.contains(today) && minute >= start
                    || days.contains(yesterday) && minute < end
            #expect(hours.contains(moment * 1000) == expected, "\(hours) at \(date)")
        }
    }
}
