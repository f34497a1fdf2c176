import AccessRules
import Database
import Synchronization
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `The ledger of releases` {
    /// A store in either database, which can be told to fail.
    private func makeStorage(_ database: TestDatabase) throws -> (TestStore, CountingStorage) {
        let store = try TestStore(database, hasAuthority: false)
        return (store, CountingStorage(try store.storage()))
    }

    private func ledger(_ storage: any Storage) -> ReleaseLedger {
        ReleaseLedger(
            storage: storage,
            policy: ReleasePolicy(addresses: AddressPolicy(), keyNames: ["default"])
        )
    }

    private func request(_ device: String) -> ReleaseRequest {
        ReleaseRequest(device: device, address: IPAddress("192.0.2.1"), keyNames: ["default"])
    }

    @Test(arguments: TestDatabase.allCases)
    func `records every decision, of many in few transactions`(database: TestDatabase) async throws
    {
        let (fixture, storage) = try makeStorage(database)
        defer { withExtendedLifetime(fixture) {} }
        let ledger = ledger(storage)
        let before = storage.count
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2000 {
                group.addTask {
                    (try? await ledger.decide(request("d\(number)")))?.decision == .granted
                }
            }
            for await granted in group { #expect(granted) }
        }
        let transactions = storage.count - before
        #expect(try AuditTrail(storage).verify().count == 2000)
        #expect(transactions < 1000, "\(transactions)")
    }

    @Test(arguments: TestDatabase.allCases)
    func `counts exactly, however many ask at once`(database: TestDatabase) async throws {
        let (store, storage) = try makeStorage(database)
        let rules = try RuleSet(parsing: "releases 7\nrate 5/1h burst 5")
        try storage.transaction(.writing) { store throws(KeyServerError) in
            try store.setPolicy(
                PolicyRecord(subject: .key("default"), rules: rules, setAt: .now)
            )
        }
        // Two servers' worth of ledgers over one store.
        let ledgers = [ledger(storage), ledger(try store.storage())]
        let granted = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    (try? await ledgers[number % 2].decide(request("d")))?.decision == .granted
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(granted == 5)
    }

    @Test(arguments: TestDatabase.allCases)
    func `counts no release that could not be recorded`(database: TestDatabase) async throws {
        let (fixture, storage) = try makeStorage(database)
        defer { withExtendedLifetime(fixture) {} }
        let rules = try RuleSet(parsing: "releases 1")
        try storage.transaction(.writing) { store throws(KeyServerError) in
            try store.setPolicy(PolicyRecord(subject: .key("default"), rules: rules, setAt: .now))
        }
        let ledger = ledger(storage)
        storage.fails = true
        await #expect(throws: KeyServerError.self) { try await ledger.decide(request("a")) }
        storage.fails = false
        #expect(try await ledger.decide(request("a")).decision == .granted)
        #expect(try await ledger.decide(request("a")).decision != .granted)
    }

    @Test(arguments: TestDatabase.allCases)
    func `releases nothing by a policy it cannot read`(database: TestDatabase) async throws {
        let (store, storage) = try makeStorage(database)
        try storage.transaction(.writing) { store throws(KeyServerError) in
            try store.setPolicy(
                PolicyRecord(subject: .key("default"), rules: RuleSet(), setAt: .now)
            )
        }
        // As a later version might leave it.
        try store.connection().run("UPDATE policies SET rules = 'moon full'")
        let ledger = ledger(storage)
        await #expect {
            try await ledger.decide(request("a"))
        } throws: { error in
            "\(error)".contains("moon full")
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `releases nothing while it cannot record`(database: TestDatabase) async throws {
        let (fixture, storage) = try makeStorage(database)
        defer { withExtendedLifetime(fixture) {} }
        let ledger = ledger(storage)
        #expect(try await ledger.decide(request("a")).decision == .granted)
        storage.fails = true
        await #expect(throws: KeyServerError.storage(reason: "test")) {
            try await ledger.decide(request("a"))
        }
        storage.fails = false
        #expect(try await ledger.decide(request("a")).decision == .granted)
        #expect(try AuditTrail(storage).verify().count == 2)
    }
}

/// A store that counts its transactions, and fails when told to.
private final class CountingStorage: Storage {
    private let base: any Storage
    private let state = Mutex((count: 0, fails: false))

    init(_ base: any Storage) { self.base = base }

    var count: Int { state.withLock { $0.count } }

    var fails: Bool {
        get { state.withLock { $0.fails } }
        set { state.withLock { $0.fails = newValue } }
    }

    func transaction<Result: Sendable>(
        _ access: StorageAccess,
        _ body: (any StorageTransaction) throws(KeyServerError) -> Result
    ) throws(KeyServerError) -> Result {
        let fails = state.withLock { state in
            state.count += 1
            return state.fails
        }
        let result = try base.transaction(access) { store throws(KeyServerError) in
            let result = try body(store)
            // As a full disk does: at the very end, when all has been decided.
            if fails { throw .storage(reason: "test") }
            return result
        }
        return result
    }
}
