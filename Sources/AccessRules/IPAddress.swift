internal import Glibc

/// An IPv4 or IPv6 address.
///
/// An IPv4 address that arrives in IPv6 clothes (`::ffff:192.0.2.1`), as it does on a dual-stack
/// socket, is the IPv4 address: one rule then covers both ways in.
public struct IPAddress: Hashable, Sendable {
    /// Which of the two protocols.
    public enum Family: Sendable {
        /// 32 bits.
        case v4

        /// 128 bits.
        case v6

        /// The number of bits of an address.
        public var bitCount: Int {
            switch self {
            case .v4: 32
            case .v6: 128
            }
        }

        fileprivate var code: Int32 {
            switch self {
            case .v4: AF_INET
            case .v6: AF_INET6
            }
        }
    }

    /// The protocol.
    public let family: Family

    /// The address as a number, most significant byte first on the wire.
    let bits: UInt128

    init(family: Family, bits: UInt128) {
        if family == .v6, bits >> 32 == 0xffff {
            self.family = .v4
            self.bits = bits & 0xffff_ffff
        } else {
            self.family = family
            self.bits = bits
        }
    }

    /// Reads an address in its usual text form.
    ///
    /// Dotted quads without leading zeros, or the forms of RFC 4291 §2.2; no zone, no port.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        let parsed = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 4) {
            buffer -> IPAddress? in
            for family in [Family.v4, .v6]
            where inet_pton(family.code, text, buffer.baseAddress) == 1 {
                return Self(
                    bytes: UnsafeRawBufferPointer(rebasing: buffer[..<(family.bitCount / 8)])
                )
            }
            return nil
        }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads an address from its bytes on the wire.
    ///
    /// - Parameter bytes: 4 or 16; `nil` for any other number.
    public init?(bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 4: self.init(family: .v4, bits: Self.bits(of: bytes))
        case 16: self.init(family: .v6, bits: Self.bits(of: bytes))
        default: return nil
        }
    }

    /// The bytes on the wire: 4 or 16.
    public var bytes: [UInt8] {
        stride(from: family.bitCount - 8, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: bits >> $0)
        }
    }

    private static func bits(of bytes: UnsafeRawBufferPointer) -> UInt128 {
        bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The usual text form; IPv6 shortened as RFC 5952 asks.
    public var description: String {
        let bytes = bytes
        return withUnsafeTemporaryAllocation(
            of: CChar.self,
            capacity: Int(INET6_ADDRSTRLEN)
        ) { buffer in
            guard let base = buffer.baseAddress,
                inet_ntop(family.code, bytes, base, socklen_t(buffer.count)) != nil
            else { return "invalid address" }
            return String(cString: base)
        }
    }
}
