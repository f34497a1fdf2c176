public import AccessRules

/// An address and a port to listen on.
public struct ListenAddress: Hashable, Sendable {
    /// An IPv4 or IPv6 address.
    public let address: IPAddress

    /// 0 lets the kernel choose.
    public let port: UInt16

    /// Whether only this machine can call there.
    public var isLoopback: Bool {
        let blocks = ["127.0.0.0/8", "::1/128"].compactMap { try? CIDRBlock(parsing: $0) }
        return blocks.contains { $0.contains(address) }
    }

    /// Names an address and a port.
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `ADDRESS:PORT`; an IPv6 address stands in brackets.
    ///
    /// - Throws: ``KeyServerError/listenAddress(text:reason:)``.
    public init(parsing text: String) throws(KeyServerError) {
        guard let colon = text.lastIndex(of: ":") else {
            throw .listenAddress(text: text, reason: "no port")
        }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits)
        else {
            throw .listenAddress(text: text, reason: "the port must be 0 to 65535")
        }
        let bracketed = host.first == "[" && host.last == "]" && host.count > 2
        if bracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(host), bracketed == host.contains(":") else {
            throw .listenAddress(text: text, reason: "no IPv4 address and no IPv6 one in brackets")
        }
        self.init(address: address, port: port)
    }
}

extension ListenAddress: CustomStringConvertible {
    /// `ADDRESS:PORT`.
    public var description: String {
        address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
