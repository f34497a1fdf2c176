import Cryptography
import Database
import KeyProtocol
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `A sealed key` {
    /// A store with the keys `a` and `b`.
    private final class Fixture {
        let store: TestStore
        let administration: Administration
        let root: RootKey
        let vault: KeyVault

        init(_ database: TestDatabase) throws {
            store = try TestStore(database)
            administration = try store.administration()
            root = try RootKey(StoreKey.generate().text)
            try administration.initializeSeal(root)
            vault = try administration.openVault(root)
            for name in ["a", "b"] {
                try administration.addKey(name, `A sealed key`.key("text of \(name)"), vault: vault)
            }
        }

        func exported(_ name: String) throws -> String {
            // A vault of its own: nothing is remembered from before.
            let fresh = try administration.openVault(root)
            let key = try administration.exportKey(name, vault: fresh)
            return key.text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    private static func key(_ text: String) throws -> StoreKey {
        try StoreKey(SecretBytes(copying: text.utf8))
    }

    @Test(arguments: TestDatabase.allCases)
    func `opens with the root key only`(database: TestDatabase) throws {
        let fixture = try Fixture(database)
        #expect(try fixture.exported("a") == "text of a")
        for other in [try RootKey(StoreKey.generate().text), try RootKey(Self.key("pass").text)] {
            #expect(throws: KeyServerError.wrongRootKey) {
                try fixture.administration.openVault(other)
            }
        }
        #expect(throws: KeyServerError.sealed) {
            try fixture.administration.initializeSeal(fixture.root)
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `opens with another root key once that has taken the first one's place`(
        database: TestDatabase
    ) throws {
        let fixture = try Fixture(database)
        let other = try RootKey(Self.key("a passphrase").text)
        #expect(throws: KeyServerError.wrongRootKey) {
            try fixture.administration.changeRootKey(from: other, to: other)
        }
        try fixture.administration.changeRootKey(from: fixture.root, to: other)
        #expect(throws: KeyServerError.wrongRootKey) {
            try fixture.administration.openVault(fixture.root)
        }
        let fresh = try fixture.administration.openVault(other)
        #expect(
            try fixture.administration.exportKey("b", vault: fresh).text.count == "text of b".count
        )
    }

    /// One key under another's name, an old generation as a new one, other bytes, none.
    private static let changes: [(sql: [String], sealed: [UInt8]?)] = [
        (
            [
                "UPDATE generations SET key = 'c' WHERE key = 'a'",
                "UPDATE generations SET key = 'a' WHERE key = 'b'",
            ], nil
        ),
        (["UPDATE generations SET number = 2 WHERE key = 'a'"], nil),
        (["UPDATE generations SET sealed = ? WHERE key = 'a'"], [UInt8](repeating: 0, count: 48)),
        (["UPDATE generations SET sealed = ? WHERE key = 'a'"], []),
    ]

    @Test(arguments: TestDatabase.allCases, changes.indices)
    func `does not open where it was not put`(database: TestDatabase, index: Int) throws {
        let fixture = try Fixture(database)
        let change = Self.changes[index]
        let connection = try fixture.store.connection()
        for sql in change.sql { try connection.run(sql, change.sealed.map { [.blob($0)] } ?? []) }
        #expect {
            try fixture.exported("a")
        } throws: { error in
            guard case .sealing = error as? KeyServerError else { return false }
            return true
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `has generations, of which the newest cannot be retired`(database: TestDatabase) throws {
        let fixture = try Fixture(database)
        let second = try fixture.administration.rotateKey(
            "a",
            Self.key("newer"),
            vault: fixture.vault
        )
        #expect(second == 2)
        #expect(try fixture.exported("a") == "newer")
        #expect(throws: KeyServerError.self) {
            try fixture.administration.retireKey("a", generation: 2, unusedSince: nil)
        }
        try fixture.administration.retireKey("a", generation: 1, unusedSince: nil)
        let list = try fixture.administration.listKeys("a").first?.generations
        #expect(list?.map { $0.retiredAt == nil } == [true, false])
        #expect(throws: KeyServerError.noSuchKey("c")) {
            try fixture.administration.rotateKey("c", Self.key("x"), vault: fixture.vault)
        }
        #expect(throws: KeyServerError.keyExists("a")) {
            try fixture.administration.addKey("a", Self.key("x"), vault: fixture.vault)
        }
    }

    @Test(arguments: ["", "a b", "ü", "a/b", "a'; --"])
    func `has no name that a request cannot hold`(name: String) throws {
        let fixture = try Fixture(.sqlite)
        #expect(throws: KeyServerError.self) {
            try fixture.administration.addKey(name, Self.key("x"), vault: fixture.vault)
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `is granted to whom a grant means, and to nobody else`(database: TestDatabase) throws {
        let fixture = try Fixture(database)
        let device = DeviceRecord(
            id: 1,
            name: "d",
            fleet: "f",
            tags: ["t"],
            addedAt: Timestamp(seconds: 1)
        )
        for (subject, isMeant) in [
            (GrantSubject.device("d"), true), (.device("f"), false), (.tag("t"), true),
            (.tag("d"), false), (.fleet("f"), true), (.fleet("t"), false), (.everyDevice, true),
        ] {
            let found = try fixture.administration.storage.transaction(.writing) {
                store throws(KeyServerError) in
                _ = try store.insertGrant(ofKey: "a", to: subject, at: .now)
                let found = try store.grant(ofKey: "a", to: device)
                _ = try store.removeGrant(ofKey: "a", to: subject)
                return found
            }
            #expect(found == (isMeant ? subject : nil))
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `keeps its grants with a device's new name, and loses them with the device`(
        database: TestDatabase
    ) throws {
        let fixture = try Fixture(database)
        let name = try DeviceName("kiosk")
        _ = try fixture.administration.addDevice(NewDevice(name: name), days: 1)
        try fixture.administration.addGrant(ofKey: "a", to: .device("kiosk"))
        #expect(throws: KeyServerError.noDevice("other")) {
            try fixture.administration.addGrant(ofKey: "a", to: .device("other"))
        }
        try fixture.administration.renameDevice("kiosk", to: DeviceName("till"))
        #expect(try fixture.administration.listKeys("a").first?.grants == [.device("till")])
        try fixture.administration.removeDevice("till")
        // A later device of that name inherits nothing.
        #expect(try fixture.administration.listKeys("a").first?.grants == [])
    }

    @Test(arguments: TestDatabase.allCases)
    func `comes into a store of the first form, whose devices stay`(database: TestDatabase) throws {
        let store = try TestStore(database, hasAuthority: false)
        try store.migrate(to: 1)
        try store.connection().run("INSERT INTO devices (name, added_at) VALUES ('kiosk', 1000)")
        let storage = try store.storage()
        let found = try storage.transaction(.writing) { store throws(KeyServerError) in
            try store.setSeal(Seal(salt: [1], sealed: [2]))
            return (try store.device(named: "kiosk")?.addedAt, try store.seal())
        }
        #expect(found.0 == Timestamp(seconds: 1))
        #expect(found.1 == Seal(salt: [1], sealed: [2]))
    }
}
