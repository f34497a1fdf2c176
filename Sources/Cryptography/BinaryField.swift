/// The field of 256 elements that AES uses: polynomials over GF(2) modulo x⁸ + x⁴ + x³ + x + 1.
///
/// Nothing is looked up or branched on by a value, so that none shows in the time taken.
///
/// FIPS 197 §4.2.
enum BinaryField {
    /// The product of two elements.
    static func multiply(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var (left, right, product) = (left, right, UInt8(0))
        for _ in 0..<8 {
            product ^= left & (0 &- (right & 1))
            let carry = left >> 7
            left = left << 1 ^ (carry &* 0x1b)
            right >>= 1
        }
        return product
    }

    /// The element whose product with this one is 1; 0 for 0.
    static func inverse(_ element: UInt8) -> UInt8 {
        // Every element but 0 to the power of 255 is 1: 254 = 2 + 4 + 8 + … + 128.
        var (square, power) = (element, UInt8(1))
        for _ in 0..<7 {
            square = multiply(square, square)
            power = multiply(power, square)
        }
        return power
    }
}
