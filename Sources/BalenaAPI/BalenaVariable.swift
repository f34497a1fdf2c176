public import Cryptography

/// A variable as it is to be at balena.
public struct BalenaVariable: Sendable {
    /// The longest value, in bytes: what every kind of variable takes.
    public static let maximumValueCount = 100_000

    /// The name.
    public let name: String

    /// The value.
    public let value: SecretBytes

    private let isCurrent: @Sendable (SecretBytes) -> Bool

    /// Checks a variable.
    ///
    /// - Parameters:
    ///   - name: Letters, digits and `_`.
    ///   - value: UTF-8 without line breaks.
    ///   - isCurrent: Whether a value that is there already will do: of ciphertext, any that
    ///     decrypts to the same. Asked only where it is not `value`.
    /// - Throws: ``BalenaError/variable(name:_:)``.
    public init(
        _ name: String,
        value: SecretBytes,
        isCurrent: @escaping @Sendable (SecretBytes) -> Bool = { _ in false }
    ) throws(BalenaError) {
        self.name = name
        self.value = value
        self.isCurrent = isCurrent
        if let fault = Self.fault(ofName: name) ?? Self.fault(of: value) {
            throw .variable(name: name, fault)
        }
    }

    /// Whether a value that is there already will do.
    func matches(_ found: SecretBytes) -> Bool { value.isEqual(to: found) || isCurrent(found) }

    private static func fault(ofName name: String) -> VariableFault? {
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        let isLetter = { (byte: UInt8) in (0x61...0x7A).contains(byte | 0x20) }
        guard let first = name.utf8.first, !isDigit(first), name.utf8.count <= 255,
            name.utf8.allSatisfy({ isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") })
        else { return .name }
        let isReserved =
            ["RESIN", "BALENA", "USER"].contains(name) || name.hasPrefix("RESIN_")
            || name.hasPrefix("BALENA_")
        return isReserved ? .reservedName : nil
    }

    private static func fault(of value: SecretBytes) -> VariableFault? {
        guard value.count <= maximumValueCount else { return .tooLong }
        return value.withUnsafeBytes { bytes in
            if bytes.contains(where: { $0 == 0x0A || $0 == 0x0D }) { return .lineBreak }
            return bytes.contains(0) ? .notUTF8 : nil
        }
    }
}
