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

    /// What must hold, in the simplest form.
    private struct Model {
        var isLockedDown = false
        var revoked: Set<String> = []
        var certificates: [String: [String]] = [:]
        var granted: [String: Set<String>] = [:]

        func permits(_ device: String, _ fingerprint: String, _ keys: [String]) -> Bool {
            !isLockedDown && !revoked.contains(device)
                && certificates[device]?.last == fingerprint
                && keys.allSatisfy { granted[$0]?.contains(device) == true }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `no key is released that this forbids, and every release is on record`(
        seed: UInt64
    ) async throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(directory("state"))
        try state.createAuthority(hostNames: ["localhost"])
        var administration = try Administration(state)
        let root = try RootKey(StoreKey.generate().text)
        try administration.initializeSeal(root)
        let vault = try administration.openVault(root)
        let clock = Clock()
        var random = Generator(state: seed)
        var model = Model()
        for key in Self.keyNames { try administration.addKey(key, .generate(), vault: vault) }
        for name in Self.names {
            let device = NewDevice(name: try DeviceName(name))
            let credentials = try administration.addDevice(device, days: 1)
            model.certificates[name] = [try Self.fingerprint(credentials)]
        }
        var released = 0
        var ledger = Self.ledger(administration.storage, clock)
        for step in 0..<400 {
            let name = Self.names.randomElement(using: &random) ?? "a"
            let key = Self.keyNames.randomElement(using: &random) ?? "k1"
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                try administration.revokeDevice(name)
                model.revoked.insert(name)
            case 1, 2:
                try administration.restoreDevice(name)
                model.revoked.remove(name)
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
                // A restart: nothing is left but the file.
                administration = try Administration(state)
                ledger = Self.ledger(administration.storage, clock)
            case 13:
                clock.shift(by: Int.random(in: -100_000_000...100_000_000, using: &random))
            default:
                let shown = model.certificates[name]?.randomElement(using: &random) ?? ""
                let keys = Bool.random(using: &random) ? [key] : Self.keyNames
                let request = ReleaseRequest(
                    device: name,
                    fingerprint: shown,
                    address: IPAddress("192.0.2.1"),
                    keyNames: keys
                )
                let outcome = try await ledger.decide(request)
                let permitted = model.permits(name, shown, keys)
                #expect((outcome.decision == .granted) == permitted, "seed \(seed), step \(step)")
                #expect(permitted || outcome.keys.isEmpty)
                if permitted { released += 1 }
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

/// A clock that jumps.
private final class Clock: Sendable {
    private let offset = Mutex(0)

    var now: Timestamp {
        Timestamp(seconds: Timestamp.now.seconds + offset.withLock { $0 })
    }

    func shift(by seconds: Int) { offset.withLock { $0 = seconds } }
}

/// SplitMix64: the same walk for the same seed.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
