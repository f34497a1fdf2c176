/// rclone's `obfuscate`: characters turned within their group.
///
/// By how much follows from the name and the name key. Stored as the amount's public part, a full
/// stop, and the turned name.
///
/// A name that is not UTF-8 is stored as it is, behind `!.`.
///
/// Format: `docs/formats.md` §4.
struct NameObfuscation: Sendable {
    /// The sum of the name key's bytes.
    let keySum: Int

    private static let quote: Unicode.Scalar = "!"

    private enum Direction {
        case forwards
        case backwards
    }

    /// Turns a name.
    func obfuscate(_ name: [UInt8]) -> [UInt8] {
        guard let text = String(validating: name, as: UTF8.self) else {
            return Array("!.".utf8) + name
        }
        let amount = text.unicodeScalars.reduce(0) { ($0 + Int($1.value)) % 256 }
        var result = "\(amount)."
        for scalar in text.unicodeScalars {
            if scalar == Self.quote { result.unicodeScalars.append(Self.quote) }
            result.unicodeScalars.append(turned(scalar, by: amount + keySum, .forwards))
        }
        return Array(result.utf8)
    }

    /// Turns a stored name back.
    func deobfuscate(_ stored: [UInt8]) throws(NameFault) -> [UInt8] {
        guard let dot = stored.firstIndex(of: UInt8(ascii: ".")), dot <= 3 else {
            throw .notEncoded
        }
        let rest = stored[(dot + 1)...]
        if stored[..<dot].elementsEqual("!".utf8) { return Array(rest) }
        guard let text = String(validating: rest, as: UTF8.self),
            let number = String(validating: stored[..<dot], as: UTF8.self),
            let amount = UInt8(number)
        else { throw .notEncoded }
        var result = ""
        var isQuoted = false
        for scalar in text.unicodeScalars {
            if isQuoted {
                result.unicodeScalars.append(scalar)
                isQuoted = false
            } else if scalar == Self.quote {
                isQuoted = true
            } else {
                result.unicodeScalars.append(turned(scalar, by: Int(amount) + keySum, .backwards))
            }
        }
        return Array(result.utf8)
    }

    private func turned(
        _ scalar: Unicode.Scalar,
        by amount: Int,
        _ direction: Direction
    ) -> Unicode.Scalar {
        let value = Int(scalar.value)
        switch value {
        case 0x30...0x39:
            return shifted(value, from: 0x30, count: 10, by: amount % 9 + 1, direction)
        case 0x41...0x5a, 0x61...0x7a:
            // Both cases are one group of 52: the six characters between them are passed over.
            let letter = value < 0x61 ? value - 0x41 : value - 0x61 + 26
            let turned = Int(
                shifted(letter, from: 0, count: 52, by: amount % 25 + 1, direction).value
            )
            return character(turned < 26 ? turned + 0x41 : turned - 26 + 0x61)
        case 0xa0...0xff:
            return shifted(value, from: 0xa0, count: 96, by: amount % 95 + 1, direction)
        case 0x100...:
            let base = value - value % 256
            return shifted(value, from: base, count: 256, by: amount % 127 + 1, direction)
        default:
            return scalar
        }
    }

    private func shifted(
        _ value: Int,
        from base: Int,
        count: Int,
        by amount: Int,
        _ direction: Direction
    ) -> Unicode.Scalar {
        let offset = direction == .forwards ? amount : count - amount
        return character(base + (value - base + offset) % count)
    }

    /// Groups of 256 begin at multiples of 256, so none has some surrogates and some characters.
    private func character(_ value: Int) -> Unicode.Scalar {
        Unicode.Scalar(UInt32(value)) ?? "\u{fffd}"
    }
}
