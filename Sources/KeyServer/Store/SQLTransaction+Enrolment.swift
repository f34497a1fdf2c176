internal import Database

extension SQLTransaction {
    private static let enrolmentTokenColumns = """
        id, hash, name, fleet, tags, replaces, days, maximum, uses, next_number, created_at,
        expires_at, ended_at
        """

    func enrolmentToken(id: String) throws(KeyServerError) -> EnrolmentTokenRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT \(Self.enrolmentTokenColumns) FROM enrolment_tokens WHERE id = ?",
                .text(id),
                read: Self.enrolmentToken
            )
        }
    }

    func enrolmentTokens() throws(KeyServerError) -> [EnrolmentTokenRecord] {
        try attempt { () throws(DatabaseError) in
            try connection.rows(
                """
                SELECT \(Self.enrolmentTokenColumns) FROM enrolment_tokens
                ORDER BY created_at DESC, id
                """,
                read: Self.enrolmentToken
            )
        }
    }

    func insert(_ token: EnrolmentTokenRecord) throws(KeyServerError) {
        try run(
            """
            INSERT INTO enrolment_tokens (\(Self.enrolmentTokenColumns))
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(token.id),
            .blob(token.hash),
            .text(token.name),
            .text(token.fleet),
            .text(token.tags.joined(separator: " ")),
            .integer(token.replaces ? 1 : 0),
            .integer(token.days),
            .integer(token.maximum),
            .integer(token.uses),
            .integer(token.next),
            .time(token.createdAt),
            .time(token.expiresAt),
            .time(token.endedAt)
        )
    }

    func update(_ token: EnrolmentTokenRecord) throws(KeyServerError) {
        try run(
            "UPDATE enrolment_tokens SET uses = ?, next_number = ?, ended_at = ? WHERE id = ?",
            .integer(token.uses),
            .integer(token.next),
            .time(token.endedAt),
            .text(token.id)
        )
    }

    func enrolment(token: String, key: String) throws(KeyServerError) -> String? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT certificate FROM enrolments WHERE token = ? AND public_key = ?",
                .text(token),
                .text(key)
            ) { $0.text(0) }
        }
    }

    func insertEnrolment(
        token: String,
        key: String,
        certificate: String
    ) throws(KeyServerError) {
        try run(
            "INSERT INTO enrolments (token, public_key, certificate) VALUES (?, ?, ?)",
            .text(token),
            .text(key),
            .text(certificate)
        )
    }

    private static func enrolmentToken(_ row: any DatabaseRow) -> EnrolmentTokenRecord {
        EnrolmentTokenRecord(
            id: row.text(0),
            hash: row.blob(1),
            name: row.text(2),
            fleet: row.textIfAny(3),
            tags: row.text(4).split(separator: " ").map(String.init),
            replaces: row.integer(5) != 0,
            days: row.integer(6),
            maximum: row.integer(7),
            uses: row.integer(8),
            next: row.integer(9),
            createdAt: row.time(10),
            expiresAt: row.time(11),
            endedAt: row.timeIfAny(12)
        )
    }
}
