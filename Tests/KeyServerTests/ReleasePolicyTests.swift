import AccessRules
import KeyServer
import Testing

@Suite struct `The policy of releases` {
    private let device = IPAddress("192.0.2.7")

    private func decide(
        allowed: [String] = [],
        denied: [String] = [],
        address: IPAddress?,
        keys: [String] = ["a"],
        facts: ReleaseFacts = ReleaseFacts(now: Timestamp(seconds: 1000))
    ) throws -> ReleaseDecision {
        let addresses = AddressPolicy(
            allowed: try allowed.map { try CIDRBlock(parsing: $0) },
            denied: try denied.map { try CIDRBlock(parsing: $0) }
        )
        let policy = ReleasePolicy(addresses: addresses, keyNames: ["a", "b"])
        let request = ReleaseRequest(device: "kiosk", address: address, keyNames: keys)
        return policy.decide(request, facts)
    }

    @Test func `without lists lets every address ask`() throws {
        #expect(try decide(address: device) == .granted)
        #expect(try decide(address: IPAddress("2001:db8::1")) == .granted)
    }

    @Test func `with an allow list lets only what it holds ask`() throws {
        #expect(try decide(allowed: ["192.0.2.0/24"], address: device) == .granted)
        #expect(
            try decide(allowed: ["198.51.100.0/24"], address: device)
                == .refused(.addressNotAllowed)
        )
        // A list of one protocol says nothing good of the other.
        #expect(try decide(allowed: ["::/0"], address: device) == .refused(.addressNotAllowed))
    }

    @Test func `denies before it allows`() throws {
        let block = try CIDRBlock(parsing: "192.0.2.7/32")
        #expect(
            try decide(allowed: ["192.0.2.0/24"], denied: ["192.0.2.7/32"], address: device)
                == .refused(.addressDenied(by: block))
        )
    }

    @Test func `catches IPv4 that comes in IPv6 clothes`() throws {
        let mapped = IPAddress("::ffff:192.0.2.7")
        let block = try CIDRBlock(parsing: "192.0.2.0/24")
        #expect(
            try decide(denied: ["192.0.2.0/24"], address: mapped)
                == .refused(.addressDenied(by: block))
        )
    }

    @Test func `refuses an address nobody knows even without lists`() throws {
        #expect(try decide(address: nil) == .refused(.addressUnknown))
    }

    @Test func `gives all the named keys or none`() throws {
        #expect(try decide(address: device, keys: ["a", "b"]) == .granted)
        #expect(
            try decide(address: device, keys: ["a", "c"]) == .refused(.keyNotGranted(name: "c"))
        )
        #expect(try decide(address: device, keys: []) == .refused(.noKeyNamed))
    }

    @Test func `tells a denied address nothing of the keys`() throws {
        let decision = try decide(denied: ["0.0.0.0/0"], address: device, keys: ["nonsense"])
        guard case .refused(let refusal) = decision else {
            Issue.record("granted")
            return
        }
        #expect(refusal.code == "address_denied")
        #expect(!refusal.message.contains("nonsense"))
        #expect(!refusal.message.contains("0.0.0.0"))
    }

    private func known(
        revoked: Int? = nil,
        certificate: ReleaseFacts.Certificate = .registered(revokedAt: nil)
    ) -> ReleaseFacts {
        let device = DeviceRecord(
            id: 1,
            name: "kiosk",
            fleet: nil,
            tags: [],
            addedAt: Timestamp(seconds: 1),
            revokedAt: revoked.map { Timestamp(seconds: $0) }
        )
        return ReleaseFacts(
            now: Timestamp(seconds: 1000),
            device: device,
            certificate: certificate
        )
    }

    @Test func `gives a revoked device nothing, whatever certificate it shows`() throws {
        #expect(try decide(address: device, facts: known()) == .granted)
        for certificate in [
            ReleaseFacts.Certificate.registered(revokedAt: nil), .unregistered,
        ] {
            let decision = try decide(
                address: device,
                facts: known(revoked: 900, certificate: certificate)
            )
            guard case .refused(let refusal) = decision else {
                Issue.record("granted")
                return
            }
            #expect(refusal.code == "device_revoked")
        }
    }

    @Test func `refuses a replaced certificate from its last moment on`() throws {
        for (end, granted) in [(999, false), (1000, false), (1001, true)] {
            let facts = known(certificate: .registered(revokedAt: Timestamp(seconds: end)))
            #expect((try decide(address: device, facts: facts) == .granted) == granted, "\(end)")
        }
    }

    @Test func `refuses the certificates of a device that was removed`() throws {
        let facts = ReleaseFacts(now: Timestamp(seconds: 1000), certificate: .orphaned)
        #expect(try decide(address: device, facts: facts) == .refused(.deviceRemoved))
    }

    @Test func `counts a repeated name once`() {
        let request = ReleaseRequest(device: "d", address: device, keyNames: ["a", "b", "a"])
        #expect(request.keyNames == ["a", "b"])
    }
}
