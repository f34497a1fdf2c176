internal import Database

extension SQLTransaction {
    private static let generationColumns =
        "key, number, identifier, sealed, created_at, retired_at, used_at"

    static let generationsOfKey =
        "SELECT \(generationColumns) FROM generations WHERE key = ? ORDER BY number DESC"

    func seal() throws(KeyServerError) -> Seal? {
        try attempt { () throws(DatabaseError) in
            try connection.row("SELECT salt, sealed FROM seal") {
                Seal(salt: $0.blob(0), sealed: $0.blob(1))
            }
        }
    }

    func setSeal(_ seal: Seal) throws(KeyServerError) {
        try run(
            """
            INSERT INTO seal (id, salt, sealed) VALUES (1, ?, ?)
            ON CONFLICT (id) DO UPDATE SET salt = excluded.salt, sealed = excluded.sealed
            """,
            .blob(seal.salt),
            .blob(seal.sealed)
        )
    }

    func keyNames() throws(KeyServerError) -> [String] {
        try attempt { () throws(DatabaseError) in
            try connection.rows("SELECT DISTINCT key FROM generations ORDER BY key") { $0.text(0) }
        }
    }

    func generations(ofKey name: String) throws(KeyServerError) -> [GenerationRecord] {
        try attempt { () throws(DatabaseError) in
            try connection.rows(Self.generationsOfKey, .text(name), read: Self.generation)
        }
    }

    static func generation(_ row: any DatabaseRow) -> GenerationRecord {
        GenerationRecord(
            key: row.text(0),
            number: row.integer(1),
            identifier: row.text(2),
            sealed: row.blob(3),
            createdAt: row.time(4),
            retiredAt: row.timeIfAny(5),
            usedAt: row.timeIfAny(6)
        )
    }

    func insert(_ generation: GenerationRecord) throws(KeyServerError) {
        try run(
            "INSERT INTO generations (\(Self.generationColumns)) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .text(generation.key),
            .integer(generation.number),
            .text(generation.identifier),
            .blob(generation.sealed),
            .time(generation.createdAt),
            .time(generation.retiredAt),
            .time(generation.usedAt)
        )
    }

    func update(_ generation: GenerationRecord) throws(KeyServerError) {
        try post(
            "UPDATE generations SET retired_at = ?, used_at = ? WHERE key = ? AND number = ?",
            .time(generation.retiredAt),
            .time(generation.usedAt),
            .text(generation.key),
            .integer(generation.number)
        )
    }

    func removeKey(_ name: String) throws(KeyServerError) {
        try run("DELETE FROM generations WHERE key = ?", .text(name))
        try run("DELETE FROM grants WHERE key = ?", .text(name))
        try run("DELETE FROM holders WHERE key = ?", .text(name))
    }

    func noteHolding(
        _ generations: [GenerationRecord],
        ofKey name: String,
        device: Int,
        at time: Timestamp
    ) throws(KeyServerError) {
        try post(
            "DELETE FROM holders WHERE key = ? AND device = ?",
            .text(name),
            .integer(device)
        )
        for generation in generations {
            try post(
                "INSERT INTO holders (key, device, number, since) VALUES (?, ?, ?, ?)",
                .text(name),
                .integer(device),
                .integer(generation.number),
                .time(time)
            )
        }
    }

    func holders(
        ofKey name: String,
        generation number: Int,
        limit: Int
    ) throws(KeyServerError) -> [GenerationHolder] {
        try attempt { () throws(DatabaseError) in
            try connection.rows(
                """
                SELECT devices.name, holders.since FROM holders JOIN devices
                ON devices.id = holders.device WHERE holders.key = ? AND holders.number = ?
                ORDER BY devices.name LIMIT ?
                """,
                .text(name),
                .integer(number),
                .integer(limit)
            ) { GenerationHolder(device: $0.text(0), since: $0.time(1)) }
        }
    }

    func grants(ofKey name: String) throws(KeyServerError) -> [GrantSubject] {
        try attempt { () throws(DatabaseError) in
            try connection.rows(
                "SELECT kind, subject FROM grants WHERE key = ? ORDER BY kind, subject",
                .text(name)
            ) { GrantSubject(kind: $0.text(0), name: $0.text(1)) }
        }.compactMap { $0 }
    }

    func insertGrant(
        ofKey name: String,
        to subject: GrantSubject,
        at time: Timestamp
    ) throws(KeyServerError) -> Bool {
        let count = try run(
            """
            INSERT INTO grants (key, kind, subject, created_at) VALUES (?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """,
            .text(name),
            .text(subject.kind),
            .text(subject.name),
            .time(time)
        )
        return count > 0
    }

    func removeGrant(
        ofKey name: String,
        to subject: GrantSubject
    ) throws(KeyServerError) -> Bool {
        let count = try run(
            "DELETE FROM grants WHERE key = ? AND kind = ? AND subject = ?",
            .text(name),
            .text(subject.kind),
            .text(subject.name)
        )
        return count > 0
    }

    func moveGrants(ofDevice name: String, to newName: String?) throws(KeyServerError) {
        // Of a name that was never a device's nothing should be left; what is, goes.
        try run(
            "DELETE FROM grants WHERE kind = 'device' AND subject = ?",
            .text(newName ?? name)
        )
        guard let newName else { return }
        try run(
            "UPDATE grants SET subject = ? WHERE kind = 'device' AND subject = ?",
            .text(newName),
            .text(name)
        )
    }
}
