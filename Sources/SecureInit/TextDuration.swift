/// A length of time as people write it: `500ms`, `30s`, `5m`, `1h30m`, or a number of seconds.
enum TextDuration {
    /// Reads a length of time.
    ///
    /// - Returns: Milliseconds, 0 or more; nil where the text is none.
    static func milliseconds(parsing text: String) -> Int64? {
        if let seconds = Int64(text) {
            return seconds < 0 ? nil : product(seconds, 1000)
        }
        var rest = Substring(text)
        var total: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let factor = factors[unit], let part = product(number, factor) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return text.isEmpty ? nil : total
    }

    private static let factors: [Substring: Int64] = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]

    private static func product(_ number: Int64, _ factor: Int64) -> Int64? {
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
