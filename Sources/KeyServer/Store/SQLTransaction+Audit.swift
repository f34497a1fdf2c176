internal import Database

extension SQLTransaction {
    static let endOfAudit = "SELECT number, entry, hash FROM audit ORDER BY number DESC LIMIT 1"

    func lastAuditRecord() throws(KeyServerError) -> AuditRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(Self.endOfAudit, read: Self.record)
        }
    }

    func append(_ record: AuditRecord) throws(KeyServerError) {
        try post(
            "INSERT INTO audit (number, entry, hash) VALUES (?, ?, ?)",
            .integer(record.number),
            .text(record.entry),
            .blob(record.hash)
        )
    }

    func auditRecords(
        from number: Int,
        limit: Int
    ) throws(KeyServerError) -> [AuditRecord] {
        try attempt { () throws(DatabaseError) in
            try connection.rows(
                "SELECT number, entry, hash FROM audit WHERE number >= ? ORDER BY number LIMIT ?",
                .integer(number),
                .integer(limit),
                read: Self.record
            )
        }
    }

    static func record(_ row: any DatabaseRow) -> AuditRecord {
        AuditRecord(number: row.integer(0), entry: row.text(1), hash: row.blob(2))
    }
}
