internal import AccessRules
internal import Database

extension SQLTransaction {
    private static let policyColumns = "kind, subject, rules, set_at"

    static let policyOfSubject =
        "SELECT \(policyColumns) FROM policies WHERE kind = ? AND subject = ?"

    func policy(of subject: PolicySubject) throws(KeyServerError) -> PolicyRecord? {
        let row = try attempt { () throws(DatabaseError) in
            try connection.row(
                Self.policyOfSubject,
                .text(subject.kind),
                .text(subject.name),
                read: StoredPolicy.init
            )
        }
        return try row?.record
    }

    func policies() throws(KeyServerError) -> [PolicyRecord] {
        let rows = try attempt { () throws(DatabaseError) in
            try connection.rows(
                "SELECT \(Self.policyColumns) FROM policies ORDER BY kind, subject",
                read: StoredPolicy.init
            )
        }
        return try rows.map { row throws(KeyServerError) in try row.record }
    }

    func setPolicy(_ policy: PolicyRecord) throws(KeyServerError) {
        try run(
            """
            INSERT INTO policies (\(Self.policyColumns)) VALUES (?, ?, ?, ?)
            ON CONFLICT (kind, subject) DO UPDATE SET rules = excluded.rules, set_at = excluded.set_at
            """,
            .text(policy.subject.kind),
            .text(policy.subject.name),
            .text(policy.rules.text),
            .time(policy.setAt)
        )
    }

    func removePolicy(of subject: PolicySubject) throws(KeyServerError) -> Bool {
        let (kind, name) = (DatabaseValue.text(subject.kind), DatabaseValue.text(subject.name))
        try run("DELETE FROM usage WHERE kind = ? AND subject = ?", kind, name)
        return try run("DELETE FROM policies WHERE kind = ? AND subject = ?", kind, name) > 0
    }

    func movePolicy(ofDevice name: String, to newName: String?) throws(KeyServerError) {
        // Of a name that was never a device's nothing should be left; what is, goes.
        _ = try removePolicy(of: .devices(.device(newName ?? name)))
        guard let newName else { return }
        for table in ["policies", "usage"] {
            try run(
                "UPDATE \(table) SET subject = ? WHERE kind = 'device' AND subject = ?",
                .text(newName),
                .text(name)
            )
        }
    }

    func setUsage(
        _ usage: RuleUsage,
        of subject: PolicySubject,
        by holder: String
    ) throws(KeyServerError) {
        try post(
            """
            INSERT INTO usage (holder, kind, subject, releases, level, updated_at)
            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (holder, kind, subject) DO UPDATE SET
            releases = excluded.releases, level = excluded.level, updated_at = excluded.updated_at
            """,
            .text(holder),
            .text(subject.kind),
            .text(subject.name),
            .integer(usage.releases),
            .integer(usage.level),
            .integer(usage.updatedAt)
        )
    }

    func forgetUsage(by holder: String) throws(KeyServerError) {
        try run("DELETE FROM usage WHERE holder = ?", .text(holder))
    }
}

/// A row of `policies` as it stands there.
struct StoredPolicy {
    private let kind: String
    private let name: String
    private let rules: String
    private let setAt: Timestamp

    init(_ row: any DatabaseRow) {
        kind = row.text(0)
        name = row.text(1)
        rules = row.text(2)
        setAt = row.time(3)
    }

    /// What it says; a rule that this version cannot read is not passed over.
    var record: PolicyRecord {
        get throws(KeyServerError) {
            guard let subject = PolicySubject(kind: kind, name: name) else {
                throw .storage(reason: "a policy of an unknown kind, '\(kind)'")
            }
            do throws(RuleError) {
                return PolicyRecord(
                    subject: subject,
                    rules: try RuleSet(parsing: rules),
                    setAt: setAt
                )
            } catch {
                throw .storage(reason: "the policy of \(subject): \(error)")
            }
        }
    }
}
