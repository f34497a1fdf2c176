import AccessRules
import Testing

@Suite struct `A block of addresses` {
    @Test(arguments: [
        // block, an address inside, one outside
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        ("10.0.0.0/8", "10.0.0.0", "9.255.255.255"),
        ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
        ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
        ("192.0.2.1/32", "192.0.2.1", "192.0.2.0"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("::/0", "2001:db8::1", "192.0.2.1"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ("2001:db8::1/128", "2001:db8::1", "2001:db8::"),
        ("::1", "::1", "::2"),
        ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"),
        ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
    ])
    func `holds what shares its prefix`(block: String, inside: String, outside: String) throws {
        let block = try CIDRBlock(parsing: block)
        #expect(block.contains(try #require(IPAddress(inside))))
        #expect(!block.contains(try #require(IPAddress(outside))))
    }

    @Test(arguments: 0...32)
    func `of every IPv4 length has the right edges`(length: Int) throws {
        let rest = UInt32(truncatingIfNeeded: (UInt64(1) << (32 - length)) - 1)
        let first = 0xC0A8_5A5A & ~rest
        let last = first | rest
        let block = try CIDRBlock(parsing: "\(dotted(first))/\(length)")
        #expect(block.prefixLength == length)
        for inside in [first, last] { #expect(block.contains(try address(inside))) }
        if length > 0 {
            for outside in [first &- 1, last &+ 1] {
                #expect(!block.contains(try address(outside)))
            }
        }
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
        "10.0.0.0/ 8", "10.0.0.0/a", "10.0.0/8", "::/129", "fe80::1%eth0/64", "10.0.0.0-10.0.0.9",
        "::ffff:10.0.0.0/95", "10.0.0.0/99999999999999999999",
    ])
    func `is not guessed from anything else`(text: String) {
        #expect(throws: RuleError.self) { try CIDRBlock(parsing: text) }
    }

    @Test(arguments: [
        ("10.0.0.1/8", "10.0.0.0/8"), ("2001:db8::1/64", "2001:db8::/64"),
        ("::ffff:10.0.0.1/104", "10.0.0.0/8"),
    ])
    func `with bits beyond its prefix is refused with the one that may be meant`(
        text: String,
        meant: String
    ) {
        #expect {
            try CIDRBlock(parsing: text)
        } throws: { error in
            "\(error)".hasSuffix("address bits beyond the prefix; did you mean \(meant)?")
        }
    }

    private func dotted(_ bits: UInt32) -> String {
        stride(from: 24, through: 0, by: -8).map { "\(bits >> $0 & 255)" }.joined(separator: ".")
    }

    private func address(_ bits: UInt32) throws -> IPAddress {
        try #require(IPAddress(dotted(bits)))
    }
}
