import AccessRules
import Testing

@Suite struct `An address` {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80::1", "fe80::1"),
    ])
    func `is read in its usual forms and written in the shortest`(text: String, written: String) {
        #expect(IPAddress(text)?.description == written)
    }

    @Test(arguments: [
        "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.4:80", "0x7f.1",
        "127.1", ":::", "1::2::3", "fe80::1%eth0", "[::1]", "::1/128", "localhost", "12345::",
    ])
    func `is not guessed from anything else`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: ["::ffff:192.0.2.1", "::FFFF:C000:201"])
    func `in IPv6 clothes is the IPv4 address`(text: String) {
        #expect(IPAddress(text) == IPAddress("192.0.2.1"))
        #expect(IPAddress(text)?.family == .v4)
    }

    @Test(arguments: ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::1"])
    func `survives the way over its bytes`(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.bytes.withUnsafeBytes { IPAddress(bytes: $0) } == address)
    }

    @Test(arguments: [0, 3, 5, 15, 17])
    func `has four or sixteen bytes`(count: Int) {
        let bytes = [UInt8](repeating: 1, count: count)
        #expect(bytes.withUnsafeBytes { IPAddress(bytes: $0) } == nil)
    }
}
