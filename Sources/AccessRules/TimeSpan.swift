/// A length of time as it is typed: `90s`, `15m`, `12h`, `30d`, `2w`.
public struct TimeSpan: Hashable, Sendable {
    /// Its length.
    public let seconds: Int

    private static let units: [(name: Character, seconds: Int)] = [
        ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
    ]

    /// A length in seconds.
    public init(seconds: Int) { self.seconds = seconds }

    /// Reads a number and a unit; nothing else is taken.
    ///
    /// - Throws: ``RuleError/timeSpan(_:)``.
    public init(parsing text: some StringProtocol) throws(RuleError) {
        guard let unit = Self.units.first(where: { $0.name == text.last }),
            let number = text.dropLast().wholeNumber, number <= 1_000_000
        else { throw .timeSpan(String(text)) }
        seconds = number * unit.seconds
    }

    /// Its length in milliseconds.
    var milliseconds: Int { seconds * 1000 }
}

extension TimeSpan: CustomStringConvertible {
    /// In the largest unit that leaves no rest.
    public var description: String {
        guard let unit = Self.units.first(where: { seconds > 0 && seconds % $0.seconds == 0 })
        else { return "\(seconds)s" }
        return "\(seconds / unit.seconds)\(unit.name)"
    }
}

extension StringProtocol {
    /// The number that the text writes in decimal digits alone; `Int("+8")` would be 8.
    var wholeNumber: Int? {
        utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(self) : nil
    }
}
