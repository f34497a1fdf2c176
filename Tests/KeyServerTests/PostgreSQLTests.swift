import Cryptography
import Database
import PostgreSQL
import TestSupport
import Testing

@testable import KeyServer

/// What holds of PostgreSQL alone; what holds of every store is tested with each.
@Suite struct `A store in PostgreSQL` {
    private func address(_ url: String, password: String? = nil) throws -> PostgreSQLAddress {
        try PostgreSQLAddress(
            SecretBytes(copying: url.utf8),
            password: password.map { SecretBytes(copying: $0.utf8) }
        )
    }

    @Test func `keeps values of every kind as they are`() throws {
        let connection = try TestStore(.postgreSQL, hasAuthority: false).connection()
        try connection.execute("CREATE TABLE t (i BIGINT, r DOUBLE PRECISION, t TEXT, b BYTEA)")
        let texts = ["", "ü€😀", "'; DROP TABLE t; --", "$1 ? \\", "line\n"]
        let numbers = [0, -1, 255, Int(Int32.min), Int.max, Int.min]
        for (index, number) in numbers.enumerated() {
            let (text, bytes) = (texts[index % texts.count], [UInt8](0...UInt8(index)))
            try connection.run("DELETE FROM t")
            let count = try connection.run(
                "INSERT INTO t (i, r, t, b) VALUES (?, ?, ?, ?)",
                .integer(number),
                .real(-1.5),
                .text(text),
                .blob(bytes)
            )
            #expect(count == 1)
            let row = try connection.row("SELECT i, r, t, b, count(*) OVER () FROM t") { row in
                row.integer(0) == number && row.real(1) == -1.5 && row.text(2) == text
                    && row.blob(3) == bytes && row.integer(4) == 1
            }
            #expect(row == true, "\(number)")
        }
        try connection.run("DELETE FROM t WHERE t = 'a?b' OR t <> ?", "nothing")
        try connection.run("INSERT INTO t (i, t) VALUES (?, ?)", .null, "\u{0}x")
        let row = try connection.row("SELECT i, t, b FROM t") {
            ($0.integerIfAny(0), $0.text(1), $0.textIfAny(2))
        }
        // There is no U+0000 in PostgreSQL: something else stands for it, and nothing is cut off.
        #expect(row?.0 == nil && row?.1 == "\u{fffd}x" && row?.2 == nil)
        #expect(throws: DatabaseError.self) { try connection.rows("SELECT now()") { $0.text(0) } }
    }

    @Test func `tells failures apart, and repeats no value`() throws {
        let connection = try TestStore(.postgreSQL, hasAuthority: false).connection()
        try connection.execute("CREATE TABLE t (i BIGINT PRIMARY KEY, t TEXT NOT NULL)")
        let insert = "INSERT INTO t (i, t) VALUES (?, ?)"
        try connection.run(insert, 1, "sentinel")
        #expect(throws: DatabaseError.conflict(operation: "run")) {
            try connection.run(insert, 1, "sentinel")
        }
        #expect {
            try connection.run(insert, 2, .null)
        } throws: { error in
            guard case .failed = error as? DatabaseError else { return false }
            return !"\(error)".contains("sentinel")
        }
        // It is of use after all that.
        #expect(try connection.rows("SELECT i FROM t") { $0.integer(0) } == [1])
    }

    @Test func `is durable whatever the database has as its default`() throws {
        let store = try TestStore(.postgreSQL, hasAuthority: false)
        let name = try #require(store.path.split(separator: "/").last)
        try PostgreSQLServer.shared()
            .execute("ALTER DATABASE \(name) SET synchronous_commit = off", in: "postgres")
        let connection = try store.connection()
        let setting = try connection.row("SELECT current_setting('synchronous_commit')") {
            $0.text(0)
        }
        #expect(setting == "on")
    }

    @Test func `is refused where it would not be durable, or not hold every text`() throws {
        let server = try PostgreSQLServer(settings: ["fsync = off"], encoding: "LATIN1")
        let url = try address(server.makeDatabase())
        #expect {
            try PostgreSQLStorage(url)
        } throws: { "\($0)".contains("encoding is LATIN1; it must be UTF8") }
        try server.execute("CREATE DATABASE utf ENCODING 'UTF8' TEMPLATE template0", in: "postgres")
        #expect {
            try PostgreSQLStorage(
                try address("postgres://postgres@/utf?host=\(server.socketDirectory)")
            )
        } throws: { "\($0)".contains("fsync off") }
    }

    @Test func `goes on by itself after the server was killed, and lost nothing`() throws {
        let server = try PostgreSQLServer()
        let storage = try PostgreSQLStorage(address(server.makeDatabase()))
        let trail = AuditTrail(storage)
        func append() throws {
            try storage.transaction(.writing) { store throws(KeyServerError) in
                try store.append(AuditEntry("test", at: .now, [:]))
            }
        }
        try append()
        // In the middle of a transaction: what it did is not there afterwards.
        #expect(throws: KeyServerError.self) {
            try storage.transaction(.writing) { store throws(KeyServerError) in
                try store.append(AuditEntry("lost", at: .now, [:]))
                do { try server.kill() } catch { throw .stopped(reason: "\(error)") }
            }
        }
        #expect(throws: KeyServerError.self) { try append() }
        try server.start()
        try append()
        #expect(try trail.verify().count == 2)
        // While nobody used the connection: nobody notices.
        try server.kill()
        try server.start()
        try append()
        #expect(try trail.verify().place == AuditTrail(storage).verify().place)
        #expect(try trail.verify().count == 3)
    }

    @Test func `fails in bounded time while the server is stopped, and goes on after`() throws {
        let server = try PostgreSQLServer()
        let storage = try PostgreSQLStorage(address(server.makeDatabase()), patience: 1)
        func append() throws {
            try storage.transaction(.writing) { store throws(KeyServerError) in
                try store.append(AuditEntry("test", at: .now, [:]))
            }
        }
        try append()
        try server.freeze(true)
        defer { try? server.freeze(false) }
        #expect {
            try append()
        } throws: { "\($0)".contains("no answer within 1 s") || "\($0)".contains("timeout") }
        try server.freeze(false)
        try append()
        #expect(try AuditTrail(storage).verify().count == 2)
    }

    @Test func `commits nothing of a transaction in which a statement failed`() throws {
        let store = try TestStore(.postgreSQL, hasAuthority: false)
        let storage = try store.storage()
        #expect(throws: KeyServerError.self) {
            try storage.transaction(.writing) { store throws(KeyServerError) in
                let record = AuditRecord(AuditEntry("test", at: .now, [:]), after: nil)
                try store.append(record)
                // Somebody passes over it.
                try? store.append(record)
            }
        }
        #expect(try AuditTrail(storage).verify().count == 0)
    }

    @Test(arguments: [
        "", "store.db", "host=/tmp dbname=x", "mysql://user@host/x", "postgres://user:se%cret@h/x",
        "postgres://u:secret@h:port/x", "postgres://u:secret@h/x?sslmode",
        "postgres://u:secret@[h/x",
        "postgres://u:pass@secret@h/x", "postgres://u:secret/word@h/x",
    ])
    func `has a URL that is one, and is not repeated where it is none`(url: String) {
        #expect {
            try address(url)
        } throws: { error in
            error is PostgreSQLAddressError && !"\(error)".contains("cret")
        }
    }

    @Test func `is named without its password`() throws {
        for url in [
            "postgres://u:secret@h:5/x", "postgresql://u@h:5/x?password=secret",
            "postgres://h/x?user=u&port=5&password=se%63ret",
        ] {
            let address = try address(url)
            #expect(address.shown == "postgres://u@h:5/x")
            #expect(address.holdsPassword)
        }
        #expect(try !address("postgres://h/x", password: "secret").holdsPassword)
    }
}
