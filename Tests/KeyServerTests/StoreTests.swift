import Cryptography
import Database
import Glibc
import TestSupport
import Testing

@testable import KeyServer

@Suite struct `The store` {
    private func add(_ name: String, to administration: Administration) throws {
        _ = try administration.addDevice(NewDevice(name: DeviceName(name)), days: 30)
    }

    @Test func `is readable by its owner only, with all that SQLite puts beside it`() throws {
        let store = try TestStore(.sqlite)
        let administration = try store.administration()
        try add("kiosk", to: administration)
        let names = try StateFile.names(in: store.state.path).filter { $0.hasPrefix("store.db") }
        #expect(names.contains("store.db-wal"))
        for name in names {
            let mode = try Subprocess.run("stat", ["-c", "%a", "\(store.state.path)/\(name)"]).text
            #expect(mode == "600\n", "\(name)")
        }
    }

    @Test(.requires(.root)) func `belongs to whom its directory belongs to`() throws {
        let store = try TestStore(.sqlite)
        #expect(chown(store.state.path, 12_345, 23_456) == 0)
        try add("kiosk", to: store.administration())
        for name in try StateFile.names(in: store.state.path) where name.hasPrefix("store.db") {
            let owner = try Subprocess.run("stat", ["-c", "%u:%g", "\(store.state.path)/\(name)"])
                .text
            #expect(owner == "12345:23456\n", "\(name)")
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `knows the devices that earlier versions kept as files`(database: TestDatabase) throws {
        let store = try TestStore(database)
        // What version 1.0 left: a certificate for each device, in a folder.
        for name in ["a", "b"] {
            let credentials = try store.state.issueDevice(DeviceName(name), days: 30)
            try StateFile.createDirectory("\(store.state.path)/devices")
            try StateFile.create(
                "\(store.state.path)/devices/\(name).pem",
                contents: credentials.certificate,
                mode: 0o644
            )
        }
        let list = try store.administration().listDevices()
        #expect(list.map(\.device.name) == ["a", "b"])
        let file = try CertificateInfo(readingFile: "\(store.state.path)/devices/a.pem")
        #expect(list.first?.certificates.map(\.fingerprint) == [file.fingerprint])
        // Once only: a device that was removed does not come back.
        try store.administration().removeDevice("a")
        #expect(try store.administration().listDevices().map(\.device.name) == ["b"])
    }

    @Test(arguments: TestDatabase.allCases)
    func `finds the certificate that ends next, and by its index`(database: TestDatabase) throws {
        let store = try TestStore(database)
        let administration = try store.administration()
        for name in ["a", "b", "c"] { try add(name, to: administration) }
        try administration.storage.transaction(.writing) { store throws(KeyServerError) in
            let ids = try ["a", "b", "c"].map { name throws(KeyServerError) in
                try store.device(named: name)?.id
            }
            let ends = [5, 10, 20, 30, 40, 50].map { Timestamp(seconds: 5_000_000_000 + $0) }
            func add(_ device: Int?, _ end: Int, revoked: Timestamp? = nil) throws(KeyServerError) {
                try store.insert(
                    CertificateRecord(
                        fingerprint: "f\(end)\(device ?? 0)",
                        device: device,
                        pem: "",
                        issuedAt: .now,
                        notAfter: ends[end],
                        revokedAt: revoked
                    )
                )
            }
            try add(nil, 0)
            try add(ids[0], 1, revoked: .now)
            try add(ids[0], 2)
            try add(ids[0], 4)
            try add(ids[1], 3)
            try add(ids[2], 5)
            let start = Timestamp(seconds: 5_000_000_000)
            #expect(
                try store.nextCertificateEnd(after: start) == ends[3],
                "neither replaced nor revoked"
            )
            #expect(try store.nextCertificateEnd(after: ends[3]) == ends[4])
            if var device = try store.device(named: "b") {
                device.revokedAt = .now
                try store.update(device)
            }
            #expect(try store.nextCertificateEnd(after: start) == ends[4])
            #expect(try store.nextCertificateEnd(after: ends[5]) == nil)
        }
        guard database == .sqlite else { return }
        let plan = try store.connection().rows(
            "EXPLAIN QUERY PLAN " + SQLTransaction.nextCertificateEnd,
            .integer(0)
        ) { $0.text(3) }
        #expect(plan.contains { $0.contains("INDEX certificates_by_end (not_after>?)") }, "\(plan)")
        #expect(!plan.contains { $0.contains("SCAN certificates") }, "\(plan)")
    }

    @Test(arguments: TestDatabase.allCases, 1..<StoreSchema.version)
    func `of an earlier version is brought to the present form`(
        database: TestDatabase,
        version: Int
    ) throws {
        let store = try TestStore(database, hasAuthority: false)
        try store.migrate(to: version)
        try store.connection().run(
            "INSERT INTO devices (id, name, added_at) VALUES (7, 'kiosk', 0)"
        )
        let storage = try store.storage()
        try storage.transaction(.writing) { store throws(KeyServerError) in
            #expect(try store.device(named: "kiosk")?.id == 7)
            let generation = GenerationRecord(
                key: "k",
                number: 1,
                identifier: "password",
                sealed: [1],
                createdAt: .now
            )
            try store.insert(generation)
            try store.noteHolding([generation], ofKey: "k", device: 7, at: .now)
            #expect(
                try store.holders(ofKey: "k", generation: 1, limit: 9).map(\.device) == ["kiosk"]
            )
            // What a device gets takes the place of what it got; a removed one holds nothing.
            try store.noteHolding([], ofKey: "k", device: 7, at: .now)
            #expect(try store.holders(ofKey: "k", generation: 1, limit: 9).isEmpty)
            try store.noteHolding([generation], ofKey: "k", device: 7, at: .now)
            try store.removeDevice(id: 7)
            #expect(try store.holders(ofKey: "k", generation: 1, limit: 9).isEmpty)
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `that a later version has changed is left alone`(database: TestDatabase) throws {
        let store = try TestStore(database)
        try add("kiosk", to: store.administration())
        let version = StoreSchema.version + 1
        try store.setVersion(version)
        #expect(throws: KeyServerError.newerStore(path: store.path, version: version)) {
            try store.administration()
        }
    }

    @Test func `that is no database is named`() throws {
        let store = try TestStore(.sqlite)
        try store.directory.write(
            [UInt8](repeating: 65, count: 8192),
            to: "state/store.db",
            mode: 0o600
        )
        #expect {
            try store.administration()
        } throws: { error in
            "\(error)".contains(store.state.database) && "\(error)".contains("not a database")
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `does all of an act or nothing`(database: TestDatabase) throws {
        let store = try TestStore(database)
        let administration = try store.administration()
        try add("kiosk", to: administration)
        let before = try AuditTrail(administration.storage).verify()
        #expect(throws: KeyServerError.deviceExists("kiosk")) {
            try add("kiosk", to: administration)
        }
        // The credentials could not be written: the device is not there either.
        #expect(throws: KeyServerError.noKey) {
            try administration.addDevice(
                NewDevice(name: DeviceName("other")),
                days: 30
            ) { _ throws(KeyServerError) in throw .noKey }
        }
        #expect(try administration.listDevices().map(\.device.name) == ["kiosk"])
        #expect(try AuditTrail(administration.storage).verify().place == before.place)
    }

    @Test(arguments: TestDatabase.allCases)
    func `shows every process at once what another has done`(database: TestDatabase) throws {
        let store = try TestStore(database)
        let (one, other) = (try store.administration(), try store.administration())
        try add("kiosk", to: one)
        #expect(try other.showDevice("kiosk").device.revokedAt == nil)
        try other.revokeDevice("kiosk")
        #expect(try one.showDevice("kiosk").device.revokedAt != nil)
        try one.restoreDevice("kiosk")
        #expect(try other.showDevice("kiosk").device.revokedAt == nil)
        #expect(try AuditTrail(one.storage).verify().broken == nil)
    }

    @Test(
        arguments: TestDatabase.allCases,
        [
            "x'); DROP TABLE devices; --", "' OR '1'='1", "\u{0}", "", "%", "\"",
        ]
    )
    func `takes what looks like SQL for a name that is not there`(
        database: TestDatabase,
        name: String
    ) throws {
        let store = try TestStore(database)
        let administration = try store.administration()
        try add("kiosk", to: administration)
        #expect(throws: KeyServerError.noDevice(name)) { try administration.revokeDevice(name) }
        #expect(throws: KeyServerError.noDevice(name)) { try administration.removeDevice(name) }
        #expect(try administration.showDevice("kiosk").device.revokedAt == nil)
    }

    @Test(arguments: TestDatabase.allCases)
    func `keeps a device's number, tags and certificates through changes`(
        database: TestDatabase
    ) throws {
        let store = try TestStore(database)
        let administration = try store.administration()
        _ = try administration.addDevice(
            NewDevice(
                name: DeviceName("kiosk"),
                fleet: Label("shops"),
                tags: [Label("north"), Label("test")]
            ),
            days: 30
        )
        let before = try administration.showDevice("kiosk")
        #expect(before.device.fleet == "shops")
        #expect(before.device.tags == ["north", "test"])
        try administration.renameDevice("kiosk", to: DeviceName("till"))
        try administration.labelDevice(
            "till",
            fleet: .some(nil),
            adding: [Label("south")],
            removing: [Label("north")]
        )
        let after = try administration.showDevice("till")
        #expect(after.device.id == before.device.id)
        #expect(after.device.fleet == nil)
        #expect(after.device.tags == ["south", "test"])
        #expect(after.certificates == before.certificates)
        _ = try administration.rotateDevice(DeviceName("till"), days: 30, overlap: 3600)
        let rotated = try administration.showDevice("till").certificates
        #expect(rotated.count == 2)
        #expect(rotated.first?.revokedAt == nil)
        #expect(rotated.last?.fingerprint == before.certificates.first?.fingerprint)
        let end = try #require(rotated.last?.revokedAt)
        #expect(abs(end.seconds - Timestamp.now.seconds - 3600) < 60)
    }

    @Test func `keeps no private key of a list of devices past its delivery`() throws {
        let store = try TestStore(.sqlite)
        final class Delivered { weak var privateKey: SecretBytes? }
        let last = Delivered()
        let devices = try ["a", "b", "c"].map { NewDevice(name: try DeviceName($0)) }
        try store.administration().addDevices(devices, days: 1) { _, credentials in
            // Kept, ten thousand of them are more mappings than a process may have.
            #expect(last.privateKey == nil)
            last.privateKey = credentials.privateKey
            #expect(last.privateKey != nil)
        }
        #expect(last.privateKey == nil)
    }

    @Test func `reads lists of devices, and names the line that is wrong`() throws {
        let devices = try NewDevice.parse(
            csv: "# our shops\na\n\nb, north\r\nc,south,big old\nd,,new\n"
        )
        #expect(devices.map(\.name.text) == ["a", "b", "c", "d"])
        #expect(devices.map { $0.fleet?.text } == [nil, "north", "south", nil])
        #expect(devices.map { $0.tags.map(\.text) } == [[], [], ["big", "old"], ["new"]])
        for (text, line) in [
            ("a\nB", 2), ("a\na", 2), ("a,b,c,d", 1), ("a,x y", 1), ("\n\n../x", 3),
            ("a,;", 1),
        ] {
            #expect {
                try NewDevice.parse(csv: text)
            } throws: { error in
                "\(error)".hasPrefix("line \(line) of the list")
            }
        }
    }
}
