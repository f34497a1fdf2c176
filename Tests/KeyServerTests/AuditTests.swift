import Database
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `The audit log` {
    /// A log of five entries.
    private func makeStore(_ database: TestDatabase) throws -> (TestStore, any Storage) {
        let store = try TestStore(database, hasAuthority: false)
        let storage = try store.storage()
        try storage.transaction(.writing) { store throws(KeyServerError) in
            for number in 1...5 {
                let time = Timestamp(seconds: number)
                try store.append(AuditEntry("test", at: time, ["n": .number(number)]))
            }
        }
        return (store, storage)
    }

    @Test(arguments: TestDatabase.allCases)
    func `is in order as it was written`(database: TestDatabase) throws {
        let (store, storage) = try makeStore(database)
        defer { withExtendedLifetime(store) {} }
        let finding = try AuditTrail(storage).verify()
        #expect(finding.count == 5)
        #expect(finding.broken == nil)
        let third = try #require(try AuditTrail(storage).last(3).first)
        #expect(
            third.entry
                == #"{"number":3,"time":"1970-01-01T00:00:03.000Z","act":"test","n":3}"#
        )
    }

    /// What was done to the log, and the first entry that is not as it was.
    private static let changes: [(sql: String, values: [DatabaseValue], broken: Int)] = [
        ("UPDATE audit SET entry = replace(entry, 'test', 'best') WHERE number = 3", [], 3),
        (
            "UPDATE audit SET hash = ? WHERE number = 5", [.blob([UInt8](repeating: 0, count: 32))],
            5
        ),
        ("DELETE FROM audit WHERE number = 2", [], 2),
        ("DELETE FROM audit WHERE number = 1", [], 1),
        ("UPDATE audit SET number = 106 - number", [], 1),
        (
            "INSERT INTO audit VALUES (6, ?, ?)",
            ["{\"number\":6,}", .blob([UInt8](repeating: 0, count: 32))], 6
        ),
        ("INSERT INTO audit SELECT 6, entry, hash FROM audit WHERE number = 5", [], 6),
    ]

    @Test(arguments: TestDatabase.allCases, changes.indices)
    func `shows what was changed, moved, taken out or put in`(
        database: TestDatabase,
        index: Int
    ) throws {
        let (store, storage) = try makeStore(database)
        let change = Self.changes[index]
        try store.connection().run(change.sql, change.values)
        #expect(try AuditTrail(storage).verify().broken == change.broken)
    }

    @Test(arguments: TestDatabase.allCases)
    func `shows that its end was cut off to who kept a mark`(database: TestDatabase) throws {
        let (store, storage) = try makeStore(database)
        let finding = try AuditTrail(storage).verify()
        let mark = try AuditTrail.Mark(finding.place.text)
        #expect(try AuditTrail(storage).verify(expecting: mark).broken == nil)
        try store.connection().run("DELETE FROM audit WHERE number = 5")
        // By itself the rest is in order.
        #expect(try AuditTrail(storage).verify().broken == nil)
        #expect(try AuditTrail(storage).verify(expecting: mark).broken == 5)
    }

    @Test(arguments: ["", "5", "5:", "x:y", "0:" + String(repeating: "a", count: 64), "5:abc"])
    func `takes no mark that is none`(text: String) {
        #expect(throws: KeyServerError.auditMark(text)) { try AuditTrail.Mark(text) }
    }

    @Test(arguments: TestDatabase.allCases)
    func `keeps what a name holds inside its string`(database: TestDatabase) throws {
        let (store, storage) = try makeStore(database)
        defer { withExtendedLifetime(store) {} }
        let hostile = "a\"},{\"act\":\"x\n\u{1b}[2J"
        try storage.transaction(.writing) { store throws(KeyServerError) in
            try store.append(AuditEntry("test", at: .now, ["device": .text(hostile)]))
        }
        let entry = try #require(try AuditTrail(storage).last(1).first?.entry)
        #expect(!entry.contains("\n"))
        #expect(!entry.contains("\u{1b}"))
        #expect(entry.hasSuffix(#""device":"a\"},{\"act\":\"x\u000a\u001b[2J"}"#))
    }
}
