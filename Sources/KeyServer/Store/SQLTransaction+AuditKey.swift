internal import Database

extension SQLTransaction {
    func auditKey() throws(KeyServerError) -> AuditKeyRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row("SELECT public_key, sealed FROM audit_key") {
                AuditKeyRecord(publicKey: $0.text(0), sealed: $0.blob(1))
            }
        }
    }

    func insert(_ key: AuditKeyRecord) throws(KeyServerError) {
        try run(
            "INSERT INTO audit_key (id, public_key, sealed) VALUES (1, ?, ?)",
            .text(key.publicKey),
            .blob(key.sealed)
        )
    }

    func auditBase() throws(KeyServerError) -> AuditCheckpoint? {
        try attempt { () throws(DatabaseError) in
            try connection.row("SELECT number, hash, time, signer, signature FROM audit_base") {
                AuditCheckpoint(
                    place: AuditPlace(number: $0.integer(0), hash: $0.blob(1)),
                    time: $0.text(2),
                    key: $0.text(3),
                    signature: $0.text(4)
                )
            }
        }
    }

    func cutAudit(at checkpoint: AuditCheckpoint) throws(KeyServerError) {
        try run("DELETE FROM audit WHERE number <= ?", .integer(checkpoint.place.number))
        try run("DELETE FROM audit_base")
        try run(
            """
            INSERT INTO audit_base (id, number, hash, time, signer, signature)
            VALUES (1, ?, ?, ?, ?, ?)
            """,
            .integer(checkpoint.place.number),
            .blob(checkpoint.place.hash),
            .text(checkpoint.time),
            .text(checkpoint.key),
            .text(checkpoint.signature)
        )
    }
}
