/// A block of addresses, such as `192.0.2.0/24` or `2001:db8::/32`.
public struct CIDRBlock: Hashable, Sendable {
    /// The first address.
    public let network: IPAddress

    /// How many leading bits an address shares with ``network``: 0...32 or 0...128.
    public let prefixLength: Int

    /// Reads a block; a lone address is a block of one.
    ///
    /// A block whose address has bits beyond its prefix is refused rather than guessed at: it is
    /// as likely a wrong prefix as a sloppy address, and the two admit different devices.
    ///
    /// - Parameter text: `ADDRESS` or `ADDRESS/PREFIX`.
    /// - Throws: ``RuleError/addressBlock(text:reason:)``.
    public init(parsing text: String) throws(RuleError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else {
            throw .addressBlock(text: text, reason: "no IPv4 or IPv6 address")
        }
        let mapped = address.family == .v4 && first.contains(":")
        guard parts.count == 2 else {
            self.init(network: address, prefixLength: address.family.bitCount)
            return
        }
        let most = mapped ? 128 : address.family.bitCount
        // Int("+8") would be 8: digits only.
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let written = Int(parts[1]), written <= most
        else {
            throw .addressBlock(text: text, reason: "the prefix must be 0 to \(most)")
        }
        let length = mapped ? written - 96 : written
        guard length >= 0 else {
            throw .addressBlock(text: text, reason: "a mapped prefix must be 96 to 128")
        }
        let network = IPAddress(
            family: address.family,
            bits: address.bits & Self.mask(length, address.family)
        )
        guard network == address else {
            throw .addressBlock(
                text: text,
                reason: "address bits beyond the prefix; did you mean \(network)/\(length)?"
            )
        }
        self.init(network: network, prefixLength: length)
    }

    private init(network: IPAddress, prefixLength: Int) {
        self.network = network
        self.prefixLength = prefixLength
    }

    /// Whether the address lies in the block; never across the two protocols.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == network.family
            && address.bits & Self.mask(prefixLength, network.family) == network.bits
    }

    /// `length` ones, then zeros, in the low bits that an address of this family uses.
    private static func mask(_ length: Int, _ family: IPAddress.Family) -> UInt128 {
        let all: UInt128 = family == .v4 ? 0xffff_ffff : .max
        // A shift by the full width gives 0, as wanted for a prefix of 0.
        return all & ~(all >> length)
    }
}

extension CIDRBlock: CustomStringConvertible {
    /// `ADDRESS/PREFIX`.
    public var description: String { "\(network)/\(prefixLength)" }
}
