import AccessRules
import Crypto
import Cryptography
import HTTPTypes
import KeyProtocol
import Logging
import SQLite
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `A token` {
    private let directory: TemporaryDirectory
    private let administration: Administration
    private let vault: KeyVault
    let signer: TokenSigner
    private let here = IPAddress("192.0.2.7")

    init() throws {
        directory = try TemporaryDirectory()
        let state = StateDirectory(directory("state"))
        try state.createAuthority(hostNames: ["localhost"])
        administration = try Administration(state)
        let root = try RootKey(StoreKey.generate().text)
        try administration.initializeSeal(root)
        vault = try administration.openVault(root)
        for name in ["default", "db"] {
            try administration.addKey(name, StoreKey.generate(), vault: vault)
            try administration.addGrant(ofKey: name, to: .everyDevice)
        }
        signer = TokenSigner(administration.storage, vault)
    }

    func make(
        _ device: String = "kiosk",
        keys: [String]? = nil,
        lifetime: Int = 1000
    ) throws -> (text: SecretBytes, record: TokenRecord) {
        let new = NewToken(
            device: NewDevice(name: try DeviceName(device)),
            keys: keys,
            lifetime: lifetime
        )
        let (token, record) = try administration.addToken(new, vault)
        return (token, record)
    }

    /// The key that the store signs with.
    func signingKey() throws -> (id: String, key: P256.Signing.PrivateKey) {
        let found = try administration.storage.transaction(.reading) {
            store throws(KeyServerError) in try store.newestTokenKey()
        }
        let record = try #require(found)
        let bytes = try vault.openTokenKey(record.sealed, id: record.id)
        let key = try bytes.withUnsafeBytes { try P256.Signing.PrivateKey(rawRepresentation: $0) }
        return (record.id, key)
    }

    func base64(_ text: String) -> String { base64(Array(text.utf8)) }

    func base64(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { Base64.encode($0, as: .url) }
    }

    func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8) }

    /// A token of any form, with a good signature of the store's key.
    func signed(_ header: String, _ claims: String) throws -> SecretBytes {
        let text = "\(base64(header)).\(base64(claims))"
        let signature = try signingKey().key.signature(for: Array(text.utf8))
        return secret("\(text).\(base64(Array(signature.rawRepresentation)))")
    }

    private func decide(
        _ token: SecretBytes,
        _ keys: [String] = ["default"],
        at time: Timestamp = .now,
        unlocks: Bool = true
    ) async throws -> ReleaseOutcome {
        try await decide(signer.verify(token), keys, at: time, unlocks: unlocks)
    }

    private func decide(
        _ claims: TokenClaims,
        _ keys: [String] = ["default"],
        at time: Timestamp = .now,
        unlocks: Bool = true
    ) async throws -> ReleaseOutcome {
        var request = ReleaseRequest(
            device: "claimed",
            token: claims,
            address: here,
            keyNames: keys
        )
        request.takesToken = unlocks
        let policy = ReleasePolicy(addresses: AddressPolicy(), keyNames: [])
        return try await ReleaseLedger(
            storage: administration.storage,
            policy: policy,
            now: { time }
        ).decide(request)
    }

    private func refusal(_ outcome: ReleaseOutcome) -> String? {
        guard case .refused(let refusal) = outcome.decision else { return nil }
        return refusal.code
    }

    private func later(_ seconds: Int, than record: TokenRecord) -> Timestamp {
        Timestamp(seconds: record.issuedAt.seconds + seconds)
    }

    @Test func `stands for its device, with the device's grants and policies`() async throws {
        let (token, record) = try make()
        #expect(try await decide(token).decision == .granted)
        let device = try administration.showDevice("kiosk").device
        #expect(device.seenFrom == "192.0.2.7")
        let entry = try #require(AuditTrail(administration.storage).last(1).first?.entry)
        #expect(entry.contains(#""device":"kiosk""#) && entry.contains(#""token":"\#(record.id)""#))
        try administration.removeGrant(ofKey: "db", to: .everyDevice)
        #expect(refusal(try await decide(token, ["default", "db"])) == "key_not_granted")
        try administration.setPolicy(
            RuleSet(parsing: "deny 192.0.2.0/24"),
            of: .devices(.device("kiosk"))
        )
        #expect(refusal(try await decide(token)) == "address_denied")
        try administration.removePolicy(of: .devices(.device("kiosk")))
        try administration.renameDevice("kiosk", to: DeviceName("till"))
        #expect(try await decide(token).decision == .granted)
        try administration.revokeDevice("till")
        #expect(refusal(try await decide(token)) == "device_revoked")
        try administration.removeDevice("till")
        #expect(refusal(try await decide(token)) == "device_revoked")
        // Somebody of the same name has nothing of it.
        _ = try make("till")
        #expect(refusal(try await decide(token)) == "device_revoked")
    }

    @Test func `outlives the key that signed it, unless that is revoked`() async throws {
        let (old, _) = try make()
        let before = try signingKey()
        // As after the clock was set back: what was made last signs all the same.
        try administration.storage.transaction(.writing) { store throws(KeyServerError) in
            let ahead = Timestamp(seconds: Timestamp.now.seconds + 9999)
            try store.insert(TokenSigner.makeKey(vault, at: ahead))
        }
        let (id, revoked) = try administration.rotateTokenKey(vault, revokesOld: false)
        #expect(revoked == 0)
        #expect(try signingKey().id == id && id != before.id)
        let (next, record) = try make()
        #expect(try DeviceToken(parsing: next).keyID == id)
        #expect(try await decide(old).decision == .granted)
        #expect(try await decide(next).decision == .granted)
        // What renews an old one is signed with the new key.
        let renewal = try #require(
            try await decide(old, at: later(600, than: record)).renewal
        )
        #expect(try DeviceToken(parsing: signer.sign(renewal)).keyID == id)

        let claims = try signer.verify(next)
        let (last, count) = try administration.rotateTokenKey(vault, revokesOld: true)
        #expect(count == 3)
        #expect(try DeviceToken(parsing: make().text).keyID == last)
        // At once, also where the key is still taken for the store's.
        #expect(refusal(try await decide(claims)) == "token_revoked")
        let fresh = TokenSigner(administration.storage, vault)
        for token in [old, next] {
            #expect(throws: TokenError.unknownKey) { try fresh.verify(token) }
        }
        // Whoever has the old key signs for nobody any more, not even by the id of a good token.
        let good = try make().record
        let forged = try DeviceToken.text(good.claims(device: "kiosk"), keyID: before.id) {
            Array(try before.key.signature(for: $0).rawRepresentation)
        }
        #expect(throws: TokenError.unknownKey) { try fresh.verify(forged) }
        // A server that has been running comes to know of it.
        #expect(waitUntil(timeout: 30) { (try? signer.verify(forged)) == nil })
        #expect(try await decide(make().text).decision == .granted)
        #expect(try AuditTrail(administration.storage).verify().broken == nil)
    }

    @Test func `narrows what its device may have, and widens nothing`() async throws {
        let (token, _) = try make(keys: ["db", "other"])
        #expect(try await decide(token, ["db"]).decision == .granted)
        #expect(refusal(try await decide(token, ["default"])) == "key_not_granted")
        #expect(refusal(try await decide(token, ["db", "default"])) == "key_not_granted")
        #expect(refusal(try await decide(token, ["other"])) == "key_not_granted")
        // The control.
        #expect(try await decide(make().text, ["default", "db"]).decision == .granted)
        #expect(throws: KeyServerError.tokenKeyName("a b")) { try make(keys: ["a b"]) }
    }

    @Test func `is refused at once when it was revoked, with all that renewed it`() async throws {
        let (token, record) = try make()
        let renewal = try #require(
            try await decide(token, at: later(600, than: record)).renewal
        )
        let next = try signer.sign(renewal)
        let (other, _) = try make()
        try administration.revokeToken(record.id)
        #expect(refusal(try await decide(token)) == "token_revoked")
        #expect(refusal(try await decide(next, at: later(601, than: record))) == "token_revoked")
        #expect(try await decide(other).decision == .granted)
        try administration.revokeTokens(ofDevice: "kiosk")
        #expect(refusal(try await decide(other)) == "token_revoked")
        #expect(throws: KeyServerError.noToken("none")) { try administration.revokeToken("none") }
    }

    @Test func `is good in its time only, by a clock that may jump`() async throws {
        let (token, record) = try make()
        for (offset, code) in [
            (-100_000, "token_not_valid_yet"), (-61, "token_not_valid_yet"), (-60, nil), (0, nil),
            (999, nil), (1000, "token_expired"), (1_000_000, "token_expired"),
        ] {
            let outcome = try await decide(token, at: later(offset, than: record))
            #expect(refusal(outcome) == code, "\(offset) s")
        }
    }

    @Test func `is renewed when half of its time is over, the same way again`() async throws {
        let (token, record) = try make(keys: ["db"])
        #expect(try await decide(token, ["db"], at: later(500, than: record)).renewal == nil)
        let at = later(501, than: record)
        // The original's answer has no room for one.
        #expect(try await decide(token, ["db"], at: at, unlocks: false).renewal == nil)
        #expect(try await decide(token, ["default"], at: at).renewal == nil, "refused")
        let first = try #require(try await decide(token, ["db"], at: at).renewal)
        #expect(first.keys == ["db"])
        #expect(first.expiresAt == record.issuedAt.seconds + 1501)
        #expect(first.id != record.id)
        // The answer was lost.
        #expect(try await decide(token, ["db"], at: later(700, than: record)).renewal == first)
        #expect(try administration.listTokens().count == 2)
        let next = try signer.sign(first)
        let after = try await decide(next, ["db"], at: later(1200, than: record))
        #expect(after.decision == .granted)
        #expect(after.renewal != nil)
        // What has expired goes; nothing piles up.
        #expect(try administration.listTokens().count == 2)
    }

    @Test func `of one server is good at another that was given the root key`() async throws {
        let (token, _) = try make()
        let other = TokenSigner(
            try SQLiteStorage(path: directory("state/store.db")),
            vault
        )
        #expect(try other.verify(token).device == "kiosk")
        // Who can write to the database cannot put in a key of their own.
        try SQLiteConnection(path: directory("state/store.db"), mode: .existing).execute(
            "UPDATE token_keys SET sealed = x'00112233'"
        )
        let fresh = TokenSigner(administration.storage, vault)
        #expect(throws: KeyServerError.self) { try fresh.verify(token) }
        #expect(throws: KeyServerError.self) { try make() }
    }

    @Test func `that is good is not held up by attempts that fail`() async throws {
        let metrics = ServerMetrics()
        let gate = TokenGate(
            store: StoreGate(
                StateDirectory(directory("state")),
                storage: administration.storage,
                vault: vault
            ),
            limiter: AttemptLimiter(),
            metrics: metrics,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let good = try make().text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        var statuses: [Int] = []
        for _ in 0..<300 {
            if case .answer(let answer) = await gate.check(
                [.authorization: "Bearer \(good)x"],
                id: "1",
                from: here
            ) {
                statuses.append(answer.status.code)
            }
        }
        #expect(statuses.count == 300)
        #expect(statuses.first == 401 && statuses.last == 429)
        let counts = metrics.tokensRefused.counts
        for (code, status) in [("token_refused", 401), ("rate_limited", 429)] {
            let count = counts.first { $0.values == [code] }?.count
            #expect(count == statuses.count { $0 == status })
        }
        for _ in 0..<300 {
            guard
                case .token = await gate.check(
                    [.authorization: "Bearer \(good)"],
                    id: "2",
                    from: here
                )
            else {
                Issue.record("a good token was not accepted")
                return
            }
        }
    }
}
