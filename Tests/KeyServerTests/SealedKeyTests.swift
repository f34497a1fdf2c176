import Cryptography
import KeyProtocol
import SQLite
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `A sealed key` {
    private let directory: TemporaryDirectory
    private let administration: Administration
    private let root: RootKey
    private let vault: KeyVault

    init() throws {
        directory = try TemporaryDirectory()
        let state = StateDirectory(directory("state"))
        try state.createAuthority(hostNames: ["localhost"])
        administration = try Administration(state)
        root = try RootKey(StoreKey.generate().text)
        try administration.initializeSeal(root)
        vault = try administration.openVault(root)
        for name in ["a", "b"] {
            try administration.addKey(name, key("text of \(name)"), vault: vault)
        }
    }

    private func key(_ text: String) throws -> StoreKey {
        try StoreKey(SecretBytes(copying: text.utf8))
    }

    private func exported(_ name: String) throws -> String {
        // A vault of its own: nothing is remembered from before.
        let fresh = try administration.openVault(root)
        let key = try administration.exportKey(name, vault: fresh)
        return key.text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func alter(_ sql: String) throws {
        try SQLiteConnection(path: directory("state/store.db"), mode: .existing).execute(sql)
    }

    @Test func `opens with the root key only`() throws {
        #expect(try exported("a") == "text of a")
        for other in [try RootKey(StoreKey.generate().text), try RootKey(key("pass").text)] {
            #expect(throws: KeyServerError.wrongRootKey) { try administration.openVault(other) }
        }
        #expect(throws: KeyServerError.sealed) { try administration.initializeSeal(root) }
    }

    @Test func `opens with another root key once that has taken the first one's place`() throws {
        let other = try RootKey(key("a passphrase").text)
        #expect(throws: KeyServerError.wrongRootKey) {
            try administration.changeRootKey(from: other, to: other)
        }
        try administration.changeRootKey(from: root, to: other)
        #expect(throws: KeyServerError.wrongRootKey) { try administration.openVault(root) }
        let fresh = try administration.openVault(other)
        #expect(try administration.exportKey("b", vault: fresh).text.count == "text of b".count)
    }

    @Test(arguments: [
        // One key under another's name, an old generation as a new one, a bit turned.
        "UPDATE generations SET key = 'c' WHERE key = 'a'; UPDATE generations SET key = 'a' WHERE key = 'b'",
        "UPDATE generations SET number = 2 WHERE key = 'a'",
        "UPDATE generations SET sealed = zeroblob(48) WHERE key = 'a'",
        "UPDATE generations SET sealed = x'' WHERE key = 'a'",
    ])
    func `does not open where it was not put`(sql: String) throws {
        try alter(sql)
        #expect {
            try exported("a")
        } throws: { error in
            guard case .sealing = error as? KeyServerError else { return false }
            return true
        }
    }

    @Test func `has generations, of which the newest cannot be retired`() throws {
        let second = try administration.rotateKey("a", key("newer"), vault: vault)
        #expect(second == 2)
        #expect(try exported("a") == "newer")
        #expect(throws: KeyServerError.self) {
            try administration.retireKey("a", generation: 2, unusedSince: nil)
        }
        try administration.retireKey("a", generation: 1, unusedSince: nil)
        let list = try administration.listKeys("a").first?.generations
        #expect(list?.map { $0.retiredAt == nil } == [true, false])
        #expect(throws: KeyServerError.noSuchKey("c")) {
            try administration.rotateKey("c", key("x"), vault: vault)
        }
        #expect(throws: KeyServerError.keyExists("a")) {
            try administration.addKey("a", key("x"), vault: vault)
        }
    }

    @Test(arguments: ["", "a b", "ü", "a/b", "a'; --"])
    func `has no name that a request cannot hold`(name: String) throws {
        #expect(throws: KeyServerError.self) {
            try administration.addKey(name, key("x"), vault: vault)
        }
    }

    @Test func `is granted to whom a grant means, and to nobody else`() throws {
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
            #expect(subject.covers(device) == isMeant)
            let found = try administration.storage.transaction(.writing) {
                store throws(KeyServerError) in
                _ = try store.insertGrant(ofKey: "a", to: subject, at: .now)
                let found = try store.grant(ofKey: "a", to: device)
                _ = try store.removeGrant(ofKey: "a", to: subject)
                return found
            }
            #expect(found == (isMeant ? subject : nil))
        }
    }

    @Test func `keeps its grants with a device's new name, and loses them with the device`() throws
    {
        let name = try DeviceName("kiosk")
        _ = try administration.addDevice(NewDevice(name: name), days: 1)
        try administration.addGrant(ofKey: "a", to: .device("kiosk"))
        #expect(throws: KeyServerError.noDevice("other")) {
            try administration.addGrant(ofKey: "a", to: .device("other"))
        }
        try administration.renameDevice("kiosk", to: DeviceName("till"))
        #expect(try administration.listKeys("a").first?.grants == [.device("till")])
        try administration.removeDevice("till")
        // A later device of that name inherits nothing.
        #expect(try administration.listKeys("a").first?.grants == [])
    }

    @Test func `comes into a store of the first form, whose devices stay`() throws {
        let path = directory("old.db")
        let old = try SQLiteConnection(path: path, mode: .creating)
        try old.execute(StoreSchema.steps[0])
        try old.execute("PRAGMA user_version = 1")
        try old.run("INSERT INTO devices (name, added_at) VALUES ('kiosk', 1000)")
        let storage = try SQLiteStorage(path: path)
        let found = try storage.transaction(.writing) { store throws(KeyServerError) in
            try store.setSeal(Seal(salt: [1], sealed: [2]))
            return (try store.device(named: "kiosk")?.addedAt, try store.seal())
        }
        #expect(found.0 == Timestamp(seconds: 1))
        #expect(found.1 == Seal(salt: [1], sealed: [2]))
    }
}
