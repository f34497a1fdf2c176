/// What a proxy says before it passes a connection on: the PROXY protocol, versions 1 and 2.
///
/// Version 1 is a line, `PROXY TCP4 SOURCE DESTINATION PORT PORT` CR LF, of at most 107 bytes.
/// Version 2 is 12 bytes of signature, version and command (1), family and transport (1), the
/// length of the rest (2, big-endian), then source and destination addresses, ports, and whatever
/// the proxy adds.
///
/// Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
public struct ProxyHeader: Equatable, Sendable {
    /// Where the connection came from; `nil` where the proxy does not say: then nobody knows.
    public let source: IPAddress?

    /// How many bytes it takes; what follows is the client's.
    public let count: Int

    /// Longest header read, in bytes: either version's addresses, and a proxy's additions.
    public static let maximumCount = 1024

    /// The bytes are no such header.
    public struct Malformed: Error, Equatable {}

    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
    private static let longestLine = 107

    /// Reads a header; `nil` where more has to come.
    ///
    /// - Parameter bytes: What came so far.
    /// - Throws: ``Malformed`` as soon as it cannot become one.
    public init?(parsing bytes: UnsafeRawBufferPointer) throws(Malformed) {
        if bytes.first == Self.signature.first {
            guard let parsed = try Self.binary(bytes) else { return nil }
            self = parsed
        } else {
            guard let parsed = try Self.line(bytes) else { return nil }
            self = parsed
        }
    }

    private init(source: IPAddress?, count: Int) {
        self.source = source
        self.count = count
    }

    private static func line(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> ProxyHeader? {
        guard zip(bytes, "PROXY ".utf8).allSatisfy({ $0 == $1 }) else { throw Malformed() }
        guard let end = bytes.prefix(longestLine).firstIndex(of: 0x0a) else {
            guard bytes.count < longestLine else { throw Malformed() }
            return nil
        }
        guard end > 0, bytes[end - 1] == 0x0d else { throw Malformed() }
        let text = String(decoding: bytes[..<(end - 1)], as: UTF8.self)
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2, words[0] == "PROXY" else { throw Malformed() }
        if words[1] == "UNKNOWN" { return ProxyHeader(source: nil, count: end + 1) }
        guard words.count == 6, let source = address(words[2], of: words[1]),
            address(words[3], of: words[1]) != nil,
            words[4...].allSatisfy({ $0.wholeNumber.map { $0 <= 65_535 } == true })
        else { throw Malformed() }
        return ProxyHeader(source: source, count: end + 1)
    }

    private static func address(_ text: Substring, of protocolName: Substring) -> IPAddress? {
        switch protocolName {
        case "TCP4": text.contains(":") ? nil : IPAddress(text)
        case "TCP6": text.contains(":") ? IPAddress(text) : nil
        default: nil
        }
    }

    private static func binary(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> ProxyHeader? {
        guard zip(bytes, signature).allSatisfy({ $0 == $1 }) else { throw Malformed() }
        guard bytes.count >= 16 else { return nil }
        let rest = Int(bytes[14]) << 8 | Int(bytes[15])
        let count = 16 + rest
        guard bytes[12] >> 4 == 2, count <= maximumCount else { throw Malformed() }
        guard bytes.count >= count else { return nil }
        switch bytes[12] & 0x0f {
        // LOCAL: the proxy itself, as when it looks whether we are there.
        case 0: return ProxyHeader(source: nil, count: count)
        case 1: break
        default: throw Malformed()
        }
        let addressCount: Int
        switch bytes[13] {
        case 0x11: addressCount = 4
        case 0x21: addressCount = 16
        default: return ProxyHeader(source: nil, count: count)
        }
        guard rest >= 2 * addressCount + 4 else { throw Malformed() }
        let source = UnsafeRawBufferPointer(rebasing: bytes[16..<(16 + addressCount)])
        return ProxyHeader(source: IPAddress(bytes: source), count: count)
    }
}
