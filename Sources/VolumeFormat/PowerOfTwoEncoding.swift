/// Base 32 and base 64, RFC 4648, unpadded: for public bytes, such as enciphered names.
struct PowerOfTwoEncoding: Sendable {
    /// §7, with lower-case letters.
    static let base32hex = PowerOfTwoEncoding(
        alphabet: "0123456789abcdefghijklmnopqrstuv",
        digitBits: 5
    )

    /// §5.
    static let base64url = PowerOfTwoEncoding(
        alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        digitBits: 6
    )

    private let digits: [UInt8]
    private let values: [UInt8]
    private let digitBits: Int

    private static let notADigit: UInt8 = 255

    private init(alphabet: String, digitBits: Int) {
        digits = Array(alphabet.utf8)
        var values = [UInt8](repeating: Self.notADigit, count: 256)
        for (value, digit) in digits.enumerated() {
            values[Int(digit)] = UInt8(value)
        }
        self.values = values
        self.digitBits = digitBits
    }

    func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 8 + digitBits - 1) / digitBits)
        var pending: UInt32 = 0
        var pendingBits = 0
        let mask = UInt32(1) << digitBits - 1
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            pendingBits += 8
            while pendingBits >= digitBits {
                pendingBits -= digitBits
                text.append(digits[Int(pending >> pendingBits & mask)])
            }
            pending &= UInt32(1) << pendingBits - 1
        }
        if pendingBits > 0 {
            text.append(digits[Int(pending << (digitBits - pendingBits) & mask)])
        }
        return text
    }

    /// Nil for a foreign digit, a digit too many, and bits left over that are not zero.
    func decode(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * digitBits / 8)
        var pending: UInt32 = 0
        var pendingBits = 0
        for digit in text {
            let value = values[Int(digit)]
            guard value != Self.notADigit else { return nil }
            pending = pending << digitBits | UInt32(value)
            pendingBits += digitBits
            if pendingBits >= 8 {
                pendingBits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> pendingBits))
            }
            pending &= UInt32(1) << pendingBits - 1
        }
        guard pendingBits < digitBits, pending == 0 else { return nil }
        return bytes
    }
}
