import SQLite
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `The audit log` {
    private let directory: TemporaryDirectory
    private let storage: SQLiteStorage

    init() throws {
        directory = try TemporaryDirectory()
        storage = try SQLiteStorage(path: directory("store.db"))
        try storage.transaction(.writing) { store throws(KeyServerError) in
            for number in 1...5 {
                let time = Timestamp(seconds: number)
                try store.append(AuditEntry("test", at: time, ["n": .number(number)]))
            }
        }
    }

    private func alter(_ sql: String) throws {
        try SQLiteConnection(path: directory("store.db"), mode: .existing).execute(sql)
    }

    @Test func `is in order as it was written`() throws {
        let finding = try AuditTrail(storage).verify()
        #expect(finding.count == 5)
        #expect(finding.broken == nil)
        let third = try #require(try AuditTrail(storage).last(3).first)
        #expect(
            third.entry
                == #"{"number":3,"time":"1970-01-01T00:00:03.000Z","act":"test","n":3}"#
        )
    }

    @Test(arguments: [
        ("UPDATE audit SET entry = replace(entry, 'test', 'best') WHERE number = 3", 3),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 5", 5),
        ("DELETE FROM audit WHERE number = 2", 2), ("DELETE FROM audit WHERE number = 1", 1),
        ("UPDATE audit SET number = 6 - number + 100; UPDATE audit SET number = number - 100", 1),
        ("INSERT INTO audit VALUES (6, '{\"number\":6,}', zeroblob(32))", 6),
        ("INSERT INTO audit SELECT 6, entry, hash FROM audit WHERE number = 5", 6),
    ])
    func `shows what was changed, moved, taken out or put in`(sql: String, broken: Int) throws {
        try alter(sql)
        #expect(try AuditTrail(storage).verify().broken == broken)
    }

    @Test func `shows that its end was cut off to who kept a mark`() throws {
        let finding = try AuditTrail(storage).verify()
        let mark = try AuditTrail.Mark("\(finding.count):\(finding.head)")
        #expect(try AuditTrail(storage).verify(expecting: mark).broken == nil)
        try alter("DELETE FROM audit WHERE number = 5")
        // By itself the rest is in order.
        #expect(try AuditTrail(storage).verify().broken == nil)
        #expect(try AuditTrail(storage).verify(expecting: mark).broken == 5)
    }

    @Test(arguments: ["", "5", "5:", "x:y", "0:" + String(repeating: "a", count: 64), "5:abc"])
    func `takes no mark that is none`(text: String) {
        #expect(throws: KeyServerError.auditMark(text)) { try AuditTrail.Mark(text) }
    }

    @Test func `keeps what a name holds inside its string`() throws {
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
