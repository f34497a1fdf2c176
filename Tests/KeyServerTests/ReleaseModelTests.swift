import AccessRules
import Cryptography
import KeyProtocol
import Synchronization
import TestSupport
import Testing

@testable import KeyServer

/// Random acts and requests, beside a model that knows what must come of each.
@Suite struct `Whatever an operator does` {
    private static let names = ["a", "b", "c"]
    private static let keyNames = ["k1", "k2"]

    @Test(arguments: TestDatabase.allCases, [1, 2, 3, 4] as [UInt64])
    func `no key is released that this forbids, and every release is on record`(
        database: TestDatabase,
        seed: UInt64
    ) async throws {
        let store = try TestStore(database)
        var administration = try store.administration()
        let root = try RootKey(StoreKey.generate().text)
        try administration.initializeSeal(root)
        let vault = try administration.openVault(root)
        let clock = Clock()
        var random = Generator(state: seed)
        var model = ReleaseModel()
        for key in Self.keyNames { try administration.addKey(key, .generate(), vault: vault) }
        for name in Self.names {
            let device = NewDevice(name: try DeviceName(name))
            let credentials = try administration.addDevice(device, days: 1)
            model.certificates[name] = [try Self.fingerprint(credentials)]
            model.welcome(name)
        }
        var released = 0
        var ledger = Self.ledger(administration.storage, clock)
        for step in 0..<600 {
            let name = Self.names.randomElement(using: &random) ?? "a"
            let key = Self.keyNames.randomElement(using: &random) ?? "k1"
            switch Int.random(in: 0..<26, using: &random) {
            case 0:
                try administration.revokeDevice(name)
                model.revoked.insert(name)
            case 1, 2:
                try administration.restoreDevice(name)
                model.revoked.remove(name)
                model.welcome(name)
            case 3, 4, 5:
                try administration.addGrant(ofKey: key, to: .device(name))
                model.granted[key, default: []].insert(name)
            case 6 where model.granted[key]?.contains(name) == true:
                try administration.removeGrant(ofKey: key, to: .device(name))
                model.granted[key]?.remove(name)
            case 7:
                let new = try administration.rotateDevice(DeviceName(name), days: 1)
                model.certificates[name]?.append(try Self.fingerprint(new))
            case 8:
                _ = try administration.rotateKey(key, .generate(), vault: vault)
            case 9:
                try administration.lockDown(reason: "")
                model.isLockedDown = true
            case 10, 11:
                try administration.liftLockdown()
                model.isLockedDown = false
            case 12:
                // A restart: nothing is left but the database.
                administration = try store.administration()
                ledger = Self.ledger(administration.storage, clock)
            case 13:
                clock.shift(by: Int.random(in: -100_000_000...100_000_000, using: &random))
            case 14, 15:
                let subject = ReleaseModel.Subject.random(name, key, using: &random)
                let rules = ReleaseModel.Rules.random(using: &random)
                try administration.setPolicy(rules.ruleSet(), of: subject.policySubject)
                model.policies[subject] = rules
            case 16, 17:
                guard let subject = model.policies.keys.randomElement(using: &random) else { break }
                try administration.removePolicy(of: subject.policySubject)
                model.forget(subject)
            default:
                let shown = model.certificates[name]?.randomElement(using: &random) ?? ""
                let keys = Bool.random(using: &random) ? [key] : Self.keyNames
                let request = ReleaseRequest(
                    device: name,
                    fingerprint: shown,
                    address: IPAddress("192.0.2.\(Int.random(in: 1...4, using: &random))"),
                    keyNames: keys
                )
                clock.stop()
                let moment = clock.now.seconds
                let outcome = try await ledger.decide(request)
                let permitted = model.permits(request, at: moment)
                #expect((outcome.decision == .granted) == permitted, "seed \(seed), step \(step)")
                #expect(permitted || outcome.keys.isEmpty)
                if permitted {
                    released += 1
                    model.note(request, at: moment)
                }
            }
        }
        var recorded = 0
        try AuditTrail(administration.storage).forEach(from: 1) { record in
            if record.entry.contains(#""result":"released""#) { recorded += 1 }
        }
        #expect(recorded == released)
        #expect(released > 0, "the walk never came to a release: it shows nothing")
        #expect(try AuditTrail(administration.storage).verify().broken == nil)
    }

    private static func ledger(_ storage: any Storage, _ clock: Clock) -> ReleaseLedger {
        ReleaseLedger(
            storage: storage,
            policy: ReleasePolicy(addresses: AddressPolicy(), keyNames: []),
            now: { clock.now }
        )
    }

    private static func fingerprint(_ credentials: DeviceCredentials) throws -> String {
        try CertificateInfo(pem: credentials.certificate, source: "test").fingerprint
    }
}

/// A clock that jumps, and that stands still between requests.
private final class Clock: Sendable {
    private let state = Mutex((offset: 0, stopped: 0))

    /// The moment at which it was stopped last.
    var now: Timestamp { Timestamp(seconds: state.withLock { $0.stopped }) }

    func stop() { state.withLock { $0.stopped = Timestamp.now.seconds + $0.offset } }

    func shift(by seconds: Int) { state.withLock { $0.offset = seconds } }
}
