internal import ArgumentParser

/// A length of time as it is typed: `90s`, `15m`, `12h`, `30d`, `2w`.
struct TimeSpan: ExpressibleByArgument, Equatable {
    /// Its length.
    let seconds: Int

    private static let units: [Character: Int] = [
        "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800,
    ]

    /// A length in seconds.
    init(seconds: Int) { self.seconds = seconds }

    /// Reads a number and a unit; nothing else is taken.
    init?(argument: String) {
        guard let unit = argument.last.flatMap({ Self.units[$0] }), argument.count > 1,
            argument.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(argument.dropLast()), number <= 1_000_000
        else { return nil }
        seconds = number * unit
    }

    /// As it would be typed.
    var defaultValueDescription: String { "\(seconds)s" }
}
