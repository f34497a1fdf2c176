import AccessRules
import Testing

@Suite struct `A proxy's header` {
    private func parse(_ bytes: [UInt8]) throws -> ProxyHeader? {
        try bytes.withUnsafeBytes { try ProxyHeader(parsing: $0) }
    }

    private static func binary(
        command: UInt8 = 0x21,
        family: UInt8 = 0x11,
        rest: [UInt8]
    ) -> [UInt8] {
        Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [command, family]
            + [UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
    }

    private static let v4: [UInt8] = [192, 0, 2, 7, 10, 0, 0, 1, 0xc3, 0x50, 0x01, 0xbb]
    private static let v6: [UInt8] =
        [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [7]
        + [UInt8](repeating: 0, count: 15) + [1, 0xc3, 0x50, 0x01, 0xbb]

    @Test(arguments: [
        ("PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\r\n", "192.0.2.7"),
        ("PROXY TCP6 2001:db8::7 ::1 50000 443\r\n", "2001:db8::7"),
        ("PROXY TCP6 ::ffff:192.0.2.7 ::1 50000 443\r\n", "192.0.2.7"),
        ("PROXY UNKNOWN\r\n", nil),
        ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", nil),
    ])
    func `of version 1 names the source`(line: String, source: String?) throws {
        let header = try #require(try parse(Array(line.utf8) + [0x16, 0x03, 0x01]))
        #expect(header.source?.description == source)
        #expect(header.count == line.utf8.count)
        // Cut anywhere, it is not whole yet: never wrong, never another.
        for count in 0..<line.utf8.count {
            #expect(try parse(Array(line.utf8.prefix(count))) == nil)
        }
    }

    @Test(arguments: [
        (binary(rest: v4), "192.0.2.7"),
        (binary(rest: v4 + [4, 0, 1, 0]), "192.0.2.7"),
        (binary(family: 0x21, rest: v6), "2001:db8::7"),
        (binary(command: 0x20, rest: v4), nil),
        (binary(command: 0x20, family: 0, rest: []), nil),
        (binary(family: 0x31, rest: [UInt8](repeating: 1, count: 216)), nil),
    ])
    func `of version 2 names the source`(bytes: [UInt8], source: String?) throws {
        let header = try #require(try parse(bytes + [0x16, 0x03, 0x01]))
        #expect(header.source?.description == source)
        #expect(header.count == bytes.count)
        for count in 0..<bytes.count { #expect(try parse(Array(bytes.prefix(count))) == nil) }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "\u{16}\u{3}\u{1}", "PROXY\r\n", "PROXY TCP4\r\n", "proxy TCP4 ",
        "PROXY TCP4 192.0.2.7 10.0.0.1 50000 443\n",
        "PROXY TCP4 2001:db8::7 ::1 50000 443\r\n", "PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY TCP4 ::ffff:192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 50000\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 50000 65536\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 -1 443\r\n", "PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 1 2\r\n", "PROXY TCP4 192.0.2.7 nowhere 1 2\r\n",
        "PROXY UNKNOWN \(String(repeating: "x", count: 100))\r\n",
    ])
    func `is nothing else`(text: String) {
        #expect(throws: ProxyHeader.Malformed.self) { try parse(Array(text.utf8)) }
    }

    @Test func `of version 2 is no longer than its limit, and holds its addresses`() {
        for bytes in [
            Self.binary(rest: Array(Self.v4.dropLast())),
            Self.binary(family: 0x21, rest: Array(Self.v6.dropLast())),
            Self.binary(command: 0x11, rest: Self.v4),
            Self.binary(command: 0x22, rest: Self.v4),
            Self.binary(rest: Self.v4 + [UInt8](repeating: 0, count: 1000)),
        ] {
            #expect(throws: ProxyHeader.Malformed.self) { try parse(bytes) }
        }
    }
}
