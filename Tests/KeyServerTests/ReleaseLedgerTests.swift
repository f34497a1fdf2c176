import Synchronization
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `The ledger of releases` {
    private let directory: TemporaryDirectory
    private let storage: CountingStorage

    init() throws {
        directory = try TemporaryDirectory()
        storage = CountingStorage(try SQLiteStorage(path: directory("store.db")))
    }

    private func ledger() -> ReleaseLedger {
        ReleaseLedger(
            storage: storage,
            policy: ReleasePolicy(addresses: AddressPolicy(), keyNames: ["default"])
        )
    }

    private func request(_ device: String) -> ReleaseRequest {
        ReleaseRequest(device: device, address: IPAddress("192.0.2.1"), keyNames: ["default"])
    }

    @Test func `records every decision, of many in few transactions`() async throws {
        let ledger = ledger()
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

    @Test func `releases nothing while it cannot record`() async throws {
        let ledger = ledger()
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
    private let base: SQLiteStorage
    private let state = Mutex((count: 0, fails: false))

    init(_ base: SQLiteStorage) { self.base = base }

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
