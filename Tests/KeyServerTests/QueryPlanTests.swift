import AccessRules
import Database
import KeyProtocol
import TestSupport
import Testing

@testable import KeyServer

/// What an unlock asks of the database, and how the database goes about it.
@Suite struct `An unlock's statements` {
    private static let rowCount = 5000

    /// As many rows in each table as make a planner look for an index.
    private static let filling = [
        "INSERT INTO devices (name, fleet, added_at) SELECT 'd' || i, 'f' || i, i FROM n",
        "INSERT INTO device_tags (device, tag) SELECT id, name FROM devices",
        """
        INSERT INTO certificates (fingerprint, device, pem, issued_at, not_after)
        SELECT 'c' || id, id, 'pem', id, id FROM devices
        """,
        """
        INSERT INTO generations (key, number, identifier, sealed, created_at)
        SELECT 'k' || i, 1, 'id', ?, i FROM n
        """,
        "INSERT INTO grants (key, kind, subject, created_at) SELECT 'k' || i, 'all', '', i FROM n",
        "INSERT INTO holders (key, device, number, since) SELECT 'k' || id, id, 1, id FROM devices",
        """
        INSERT INTO policies (kind, subject, rules, set_at)
        SELECT 'device', 'd' || i, 'releases 9', i FROM n
        """,
        """
        INSERT INTO usage (holder, kind, subject, releases, level, updated_at)
        SELECT 'device ' || i, 'device', 'd' || i, 0, 0, 0 FROM n
        """,
        "INSERT INTO audit (number, entry, hash) SELECT i, 'entry', ? FROM n",
        // Half of their time is over.
        """
        INSERT INTO tokens (id, family, device, issued_at, expires_at)
        SELECT 't' || id, 't' || id, id, 0, \(Timestamp.now.milliseconds * 3 / 2) FROM devices
        """,
        """
        INSERT INTO enrolment_tokens
        (id, hash, name, tags, replaces, days, maximum, uses, next_number, created_at, expires_at)
        SELECT 'e' || i, ?, 'n', '', 0, 1, 1, 0, 1, 0, 0 FROM n
        """,
        """
        INSERT INTO enrolments (token, public_key, certificate)
        SELECT id, 'p' || id, 'c' FROM enrolment_tokens
        """,
    ]

    /// Tables that hold at most one row, by their own definition.
    private static let single = ["lockdown", "seal"]

    /// The end of the log: the first row from behind, whatever a plan calls it.
    private static let endOfLog = "FROM audit ORDER BY number DESC LIMIT 1"

    /// The steps of a statement that look at every row of a table.
    private func scans(
        _ sql: String,
        _ values: [DatabaseValue],
        on connection: any DatabaseConnection
    ) throws -> [String] {
        var steps: [String] = []
        let isSQLite = connection.dialect == .sqlite
        let explain = isSQLite ? "EXPLAIN QUERY PLAN " : "EXPLAIN "
        try connection.forEachRow(explain + sql, values, limit: .max) {
            steps.append($0.text(isSQLite ? 3 : 0))
        }
        let mark = isSQLite ? "SCAN " : "Seq Scan on "
        return steps.filter { step in
            guard step.contains(mark) else { return false }
            return !Self.single.contains { step.contains(mark + $0) }
                && !(isSQLite && sql.contains(Self.endOfLog))
        }
    }

    @Test(arguments: TestDatabase.allCases)
    func `look at no table as a whole`(database: TestDatabase) async throws {
        let store = try TestStore(database, hasAuthority: false)
        _ = try store.storage()
        let connection = try store.connection()
        let numbers = """
            WITH RECURSIVE n(i) AS
            (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.rowCount))
            """
        for statement in Self.filling {
            let values = statement.contains("?") ? [DatabaseValue.blob([1])] : []
            try connection.run("\(numbers) \(statement)", values)
        }
        try connection.execute("ANALYZE")
        let storage = ObservedStorage(connection)
        let ledger = ReleaseLedger(
            storage: storage,
            policy: ReleasePolicy(addresses: AddressPolicy(), keyNames: [])
        )
        let request = ReleaseRequest(
            device: "d7",
            fingerprint: "c7",
            address: IPAddress("192.0.2.1"),
            keyNames: ["k7", "k8"]
        )
        #expect(try await ledger.decide(request).decision == .granted)
        let refused = ReleaseRequest(
            device: "x",
            fingerprint: "x",
            address: nil,
            keyNames: ["x"]
        )
        #expect(try await ledger.decide(refused).decision != .granted)

        let claims = TokenClaims(
            id: "t7",
            device: "d7",
            keys: nil,
            issuedAt: 0,
            expiresAt: Timestamp.now.seconds * 3 / 2
        )
        var shown = ReleaseRequest(
            device: "d7",
            fingerprint: "",
            token: claims,
            address: IPAddress("192.0.2.1"),
            keyNames: ["k7"]
        )
        shown.takesToken = true
        #expect(try await ledger.decide(shown).renewal != nil)
        try storage.transaction(.writing) { store throws(KeyServerError) in
            _ = try store.enrolmentToken(id: "e7")
            _ = try store.enrolment(token: "e7", key: "pe7")
        }

        let tables = ["devices", "certificates", "generations", "grants", "policies", "usage"]
        for table in tables + ["holders", "audit", "lockdown", "tokens", "enrolments"] {
            #expect(storage.statements.contains { $0.sql.contains(table) }, "no \(table)")
        }
        for statement in storage.statements {
            let scans = try scans(statement.sql, statement.values, on: connection)
            #expect(scans.isEmpty, "\(statement.sql)")
        }
        // The control: what has no index is seen.
        let control = "SELECT name FROM devices WHERE fleet = ?"
        #expect(try !scans(control, ["f7"], on: connection).isEmpty)
    }
}
