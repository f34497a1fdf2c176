import AccessRules
import Database
import TestSupport
import Testing

@testable import KeyServer

/// How often a transaction of unlocks waits for its database.
@Suite struct `Unlocks wait for the database` {
    private struct Fixture {
        let store: TestStore
        let storage: ObservedStorage
        let ledger: ReleaseLedger

        init(_ database: TestDatabase) throws {
            store = try TestStore(database, hasAuthority: false)
            let base = try store.storage()
            let rules = try RuleSet(parsing: "releases 2")
            try base.transaction(.writing) { store throws(KeyServerError) in
                for number in 1...40 {
                    let device = try store.insertDevice(
                        named: "d\(number)",
                        fleet: "f",
                        tags: ["t"],
                        at: .now
                    )
                    for letter in ["a", "b"] {
                        try store.insert(
                            CertificateRecord(
                                fingerprint: "\(letter)\(number)",
                                device: device,
                                pem: "",
                                issuedAt: .now,
                                notAfter: .now,
                                revokedAt: nil
                            )
                        )
                    }
                }
                try store.insert(
                    GenerationRecord(
                        key: "k",
                        number: 1,
                        identifier: "i",
                        sealed: [1],
                        createdAt: .now
                    )
                )
                _ = try store.insertGrant(ofKey: "k", to: .tag("t"), at: .now)
                try store.setPolicy(
                    PolicyRecord(subject: .devices(.fleet("f")), rules: rules, setAt: .now)
                )
            }
            storage = ObservedStorage(try store.connection())
            ledger = ReleaseLedger(
                storage: storage,
                policy: ReleasePolicy(addresses: AddressPolicy(), keyNames: [])
            )
        }

        func ask(_ number: Int, _ letter: String = "a") async throws -> Bool {
            let request = ReleaseRequest(
                device: "d\(number)",
                fingerprint: "\(letter)\(number)",
                address: IPAddress("192.0.2.1"),
                keyNames: ["k"]
            )
            return try await ledger.decide(request).decision == .granted
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `four times, however many are decided together`(database: TestDatabase) async throws {
        let fixture = try Fixture(database)
        #expect(try await fixture.ask(1))
        // Who asks; what holds for them; what they have had; and the commit, with all changes.
        #expect(fixture.storage.waits == [4])
        let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 2...40 { group.addTask { try await fixture.ask(number) } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(granted == 39)
        #expect(fixture.storage.waits.allSatisfy { $0 == 4 }, "\(fixture.storage.waits)")
        #expect(try AuditTrail(fixture.store.storage()).verify().count == 40)
        #expect(try AuditTrail(fixture.store.storage()).verify().broken == nil)
    }

    @Test(arguments: TestDatabase.allCases)
    func `anew where a device asks twice, with either certificate`(
        database: TestDatabase
    ) async throws {
        let fixture = try Fixture(database)
        let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<60 {
                group.addTask {
                    try await fixture.ask(1 + number / 2 % 3, number.isMultiple(of: 2) ? "a" : "b")
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        // Three devices, each twice.
        #expect(granted == 6)
        #expect(try AuditTrail(fixture.store.storage()).verify().count == 60)
        #expect(try AuditTrail(fixture.store.storage()).verify().broken == nil)
    }

    @Test(arguments: TestDatabase.allCases)
    func `and learn at the commit of what failed before`(database: TestDatabase) async throws {
        let fixture = try Fixture(database)
        #expect(try await fixture.ask(1))
        // The next entry's number is taken, though it is not at the log's end when that is read.
        let connection = try fixture.store.connection()
        try connection.execute("DROP TABLE holders")
        await #expect(throws: KeyServerError.self) { try await fixture.ask(2) }
        #expect(try AuditTrail(fixture.store.storage()).verify().count == 1)
        let seen = try connection.row("SELECT seen_at FROM devices WHERE name = 'd2'") {
            $0.integerIfAny(0)
        }
        #expect(seen == .some(nil))
    }
}
