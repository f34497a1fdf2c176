/// rclone's base 32768: fifteen bits a character, all of them of Unicode's basic plane.
///
/// The characters come in blocks of 32 (a block is a code point shifted right by five). The first
/// four blocks of the alphabet stand for a last digit of seven bits, the other 1,024 for digits of
/// fifteen. Bits left over in the last digit are ones.
///
/// Format: `docs/formats.md` §4.
enum Base32768 {
    private static let blockBits: UInt16 = 5
    private static let shortBlocks = 4

    /// The alphabet's blocks, ascending, as first block and last.
    private static let ranges: [ClosedRange<UInt16>] = [
        0x00c...0x00c, 0x012...0x014, 0x025...0x025, 0x028...0x028, 0x034...0x035, 0x03b...0x03c,
        0x03e...0x03e, 0x080...0x080, 0x085...0x085, 0x088...0x08a, 0x08c...0x08c, 0x08f...0x091,
        0x093...0x093, 0x097...0x097, 0x099...0x099, 0x09d...0x09e, 0x0a1...0x0b2, 0x0b5...0x0b6,
        0x0bc...0x0bc, 0x0c1...0x0c2, 0x0c6...0x0c6, 0x0cc...0x0cc, 0x0cf...0x0cf, 0x0d1...0x0d1,
        0x0de...0x0de, 0x0e0...0x0e0, 0x0e8...0x0e8, 0x10f...0x10f, 0x116...0x116, 0x11a...0x11e,
        0x120...0x120, 0x128...0x13a, 0x13c...0x13d, 0x140...0x14b, 0x14d...0x14d, 0x151...0x152,
        0x154...0x155, 0x157...0x15a, 0x160...0x160, 0x164...0x166, 0x168...0x168, 0x16a...0x16a,
        0x175...0x176, 0x18e...0x18e, 0x1a0...0x26c, 0x26e...0x4fd, 0x500...0x523, 0x525...0x525,
        0x528...0x52f, 0x532...0x532, 0x535...0x536, 0x538...0x53a, 0x53c...0x53c, 0x542...0x542,
    ]

    private static let blocks: [UInt16] = ranges.flatMap { Array($0) }

    private static let notABlock: UInt16 = .max

    /// Position in ``blocks`` by block.
    private static let positions: [UInt16] = {
        var positions = [UInt16](repeating: notABlock, count: 2_048)
        for (position, block) in blocks.enumerated() {
            positions[Int(block)] = UInt16(position)
        }
        return positions
    }()

    /// UTF-8 text.
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        var pending: UInt32 = 0
        var pendingBits = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            pendingBits += 8
            if pendingBits >= 15 {
                pendingBits -= 15
                appendDigit(UInt16(truncatingIfNeeded: pending >> pendingBits) & 0x7fff, to: &text)
                pending &= UInt32(1) << pendingBits - 1
            }
        }
        if pendingBits > 7 {
            let missing = 15 - pendingBits
            let digit = pending << missing | (UInt32(1) << missing - 1)
            appendDigit(UInt16(truncatingIfNeeded: digit), to: &text)
        } else if pendingBits > 0 {
            let missing = 7 - pendingBits
            let digit = pending << missing | (UInt32(1) << missing - 1)
            appendShortDigit(UInt16(truncatingIfNeeded: digit), to: &text)
        }
        return text
    }

    /// Nil for anything that ``encode(_:)`` does not give.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        var pending: UInt32 = 0
        var pendingBits = 0
        guard let text = String(validating: text, as: UTF8.self) else { return nil }
        for scalar in text.unicodeScalars {
            guard scalar.value <= 0xffff else { return nil }
            let position = positions[Int(scalar.value >> blockBits)]
            guard position != notABlock else { return nil }
            let low = scalar.value & 31
            if position < shortBlocks {
                pending = pending << 7 | UInt32(position) << blockBits | low
                pendingBits += 7
            } else {
                pending = pending << 15 | UInt32(position - UInt16(shortBlocks)) << blockBits | low
                pendingBits += 15
            }
            while pendingBits >= 8 {
                pendingBits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> pendingBits))
            }
            pending &= UInt32(1) << pendingBits - 1
        }
        return Array(text.utf8) == encode(bytes) ? bytes : nil
    }

    private static func appendDigit(_ digit: UInt16, to text: inout [UInt8]) {
        append(blocks[shortBlocks + Int(digit >> blockBits)], low: digit & 31, to: &text)
    }

    private static func appendShortDigit(_ digit: UInt16, to text: inout [UInt8]) {
        append(blocks[Int(digit >> blockBits)], low: digit & 31, to: &text)
    }

    /// Every character of the alphabet takes two or three bytes of UTF-8.
    private static func append(_ block: UInt16, low: UInt16, to text: inout [UInt8]) {
        let character = block << blockBits | low
        if character < 0x800 {
            text.append(0xc0 | UInt8(character >> 6))
        } else {
            text.append(0xe0 | UInt8(character >> 12))
            text.append(0x80 | UInt8(character >> 6 & 0x3f))
        }
        text.append(0x80 | UInt8(character & 0x3f))
    }
}
