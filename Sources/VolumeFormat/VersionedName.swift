/// A file name that carries the time of a version, as rclone's `--b2-versions` and others write
/// it: `name-v2006-01-02-150405-000.ext`.
///
/// rclone encrypts such a name without its time, and puts the time into the result.
struct VersionedName {
    /// `-v2006-01-02-150405-000`: 23 bytes.
    let version: [UInt8]

    /// The name without it.
    let name: [UInt8]

    private static let pattern: StaticString = "-v0000-00-00-000000-000"

    /// Nil for a name without a version.
    init?(_ fullName: [UInt8]) {
        guard fullName.count >= Self.pattern.utf8CodeUnitCount else { return nil }
        let (stem, suffix) = Self.split(fullName)
        let version = stem.suffix(Self.pattern.utf8CodeUnitCount)
        guard version.first == UInt8(ascii: "-"), Self.isVersion(Array(version)) else {
            return nil
        }
        self.version = Array(version)
        name = Array(stem.dropLast(version.count) + suffix)
    }

    /// Puts a version before the last suffix of a name.
    static func adding(_ version: [UInt8], to name: [UInt8]) -> [UInt8] {
        let (stem, suffix) = split(name)
        return Array(stem + version + suffix)
    }

    /// The last full stop begins the suffix, unless it begins the name.
    private static func split(
        _ name: [UInt8]
    ) -> (stem: ArraySlice<UInt8>, suffix: ArraySlice<UInt8>) {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0 else {
            return (name[...], [])
        }
        return (name[..<dot], name[dot...])
    }

    private static func isVersion(_ text: [UInt8]) -> Bool {
        guard text.count == pattern.utf8CodeUnitCount else { return false }
        let fits = pattern.withUTF8Buffer { pattern in
            zip(pattern, text).allSatisfy { expected, found in
                expected == UInt8(ascii: "0")
                    ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(found) : expected == found
            }
        }
        guard fits else { return false }
        func number(_ range: Range<Int>) -> Int {
            text[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }
        let (year, month, day) = (number(2..<6), number(7..<9), number(10..<12))
        return (1...12).contains(month) && day >= 1 && day <= days(inMonth: month, year: year)
            && number(13..<15) < 24 && number(15..<17) < 60 && number(17..<19) < 60
    }

    private static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2:
            year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
                ? 29 : 28
        default: 31
        }
    }
}
