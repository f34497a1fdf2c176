import AccessRules
import Cryptography
import Database
import Foundation
import SQLite
import Synchronization
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `A store of an earlier form` {
    /// The forms there is a file of; the present one is in the making.
    private static let versions = Array(1..<StoreSchema.version)

    private func columns(_ path: String) throws -> [String] {
        try SQLiteConnection(path: path, mode: .existing).rows(
            """
            SELECT m.type || ' ' || m.name || '.' || coalesce(c.name || ' ' || c.type || c."notnull", '')
            FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c ON m.type = 'table' ORDER BY 1
            """
        ) { $0.text(0) }
    }

    @Test(arguments: versions) func `keeps all it holds, and is as a new one`(version: Int) throws {
        let directory = try TemporaryDirectory()
        let path = directory("old.db")
        let file = Fixtures.path("key-server/stores/v\(version).sql")
        let old = try SQLiteConnection(path: path, mode: .creating)
        try old.execute(String(contentsOfFile: file, encoding: .utf8))
        _ = consume old
        let storage = try SQLiteStorage(path: path)
        #expect(try AuditTrail(storage).verify().count == 3)
        #expect(try AuditTrail(storage).verify().broken == nil)
        try storage.transaction(.writing) { store throws(KeyServerError) in
            let device = try store.device(named: "kiosk")
            #expect(device?.fleet == "shops")
            #expect(device?.tags == ["north"])
            #expect(device?.addedAt == Timestamp(seconds: 1))
            #expect(device?.seenFrom == "192.0.2.7")
            let fingerprint = String(repeating: "ab", count: 32)
            #expect(try store.certificate(fingerprint: fingerprint)?.device == device?.id)
            #expect(try store.seal()?.sealed == (version < 2 ? nil : Array(0..<72)))
            let generations = try store.generations(ofKey: "db")
            #expect(generations.map(\.identifier) == (version < 2 ? [] : ["5f0c1a2b"]))
            if version >= 2, let device {
                #expect(try store.grant(ofKey: "db", to: device) == .fleet("shops"))
            }
            #expect(try store.lockdown()?.reason == (version < 3 ? nil : "stolen"))
            let holders = try store.holders(ofKey: "db", generation: 1, limit: 9)
            #expect(holders.map(\.device) == (version < 4 ? [] : ["kiosk"]))
            let policy = PolicySubject.devices(.fleet("shops"))
            #expect(try store.policy(of: policy)?.rules.text == (version < 5 ? nil : "releases 3"))
            if version >= 5 {
                #expect(try store.usage(of: policy, by: "device 1").releases == 2)
            }
            #expect(try store.currentShareSet() == nil)
            #expect(try store.auditKey() == nil)
            try store.append(AuditEntry("test", at: .now, [:]))
        }
        #expect(try AuditTrail(storage).verify().count == 4)
        let fresh = try SQLiteStorage(path: directory("fresh.db"))
        #expect(try columns(storage.path) == columns(fresh.path))
    }

    private func firstForm(_ path: String) throws -> SQLiteConnection {
        let file = Fixtures.path("key-server/stores/v1.sql")
        let connection = try SQLiteConnection(path: path, mode: .creating)
        try connection.execute("PRAGMA synchronous = OFF")
        try connection.execute(String(contentsOfFile: file, encoding: .utf8))
        return connection
    }

    /// Opens a store on several threads at once, and waits for them.
    private func open(_ path: String, times: Int, meanwhile body: () throws -> Void = {}) throws {
        let failures = Mutex<[any Error]>([])
        let (ready, start) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let opened = DispatchGroup()
        for _ in 0..<times {
            opened.enter()
            Thread.detachNewThread {
                defer { opened.leave() }
                ready.signal()
                start.wait()
                do {
                    _ = try SQLiteStorage(path: path)
                } catch {
                    failures.withLock { $0.append(error) }
                }
            }
        }
        for _ in 0..<times { ready.wait() }
        for _ in 0..<times { start.signal() }
        let result = Result(catching: body)
        opened.wait()
        try result.get()
        for failure in failures.withLock({ $0 }) { throw failure }
    }

    @Test func `that is opened by many at once is brought up to date once`() throws {
        let directory = try TemporaryDirectory()
        _ = try firstForm(directory("old.db"))
        for number in 0..<10 {
            let path = directory("old\(number).db")
            try FileManager.default.copyItem(atPath: directory("old.db"), toPath: path)
            try open(path, times: 8)
            #expect(try AuditTrail(SQLiteStorage(path: path)).verify().count == 3)
        }
    }

    @Test func `that somebody is writing to is waited for`() throws {
        let directory = try TemporaryDirectory()
        let path = directory("old.db")
        let writer = try firstForm(path)
        try writer.execute("BEGIN IMMEDIATE")
        try open(path, times: 2) {
            // Long enough for who would not wait to have failed; who waits needs no certain time.
            Thread.sleep(forTimeInterval: 0.3)
            try writer.execute("COMMIT")
        }
        #expect(try AuditTrail(SQLiteStorage(path: path)).verify().count == 3)
    }

    @Test func `is not gone on with where another file has taken its name`() throws {
        let directory = try TemporaryDirectory()
        let path = directory("store.db")
        let storage = try SQLiteStorage(path: path)
        let write = {
            try storage.transaction(.writing) { store throws(KeyServerError) in
                try store.append(AuditEntry("test", at: .now, [:]))
            }
        }
        try write()
        let files = FileManager.default
        try files.moveItem(atPath: path, toPath: "\(path).away")
        #expect(throws: KeyServerError.self, "gone") { try write() }
        try files.copyItem(atPath: "\(path).away", toPath: path)
        #expect(throws: KeyServerError.self, "a copy") { try write() }
        try files.removeItem(atPath: path)
        try files.moveItem(atPath: "\(path).away", toPath: path)
        try write()
        #expect(try AuditTrail(storage).verify().count == 2)
    }
}
