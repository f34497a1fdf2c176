internal import Database

extension SQLTransaction {
    private static let tokenColumns =
        "id, family, device, key_names, issued_at, expires_at, revoked_at, successor"

    func token(id: String) throws(KeyServerError) -> TokenRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT \(Self.tokenColumns) FROM tokens WHERE id = ?",
                .text(id),
                read: Self.token
            )
        }
    }

    func tokens(ofDevice device: Int?) throws(KeyServerError) -> [TokenRecord] {
        let order = "ORDER BY issued_at DESC, id"
        return try attempt { () throws(DatabaseError) in
            guard let device else {
                return try connection.rows(
                    "SELECT \(Self.tokenColumns) FROM tokens \(order)",
                    read: Self.token
                )
            }
            return try connection.rows(
                "SELECT \(Self.tokenColumns) FROM tokens WHERE device = ? \(order)",
                .integer(device),
                read: Self.token
            )
        }
    }

    func insert(_ token: TokenRecord) throws(KeyServerError) {
        try post(
            "INSERT INTO tokens (\(Self.tokenColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            .text(token.id),
            .text(token.family),
            .integer(token.device),
            .text(token.keys?.joined(separator: " ")),
            .time(token.issuedAt),
            .time(token.expiresAt),
            .time(token.revokedAt),
            .text(token.successor)
        )
    }

    func setSuccessor(_ successor: String, ofToken id: String) throws(KeyServerError) {
        try post("UPDATE tokens SET successor = ? WHERE id = ?", .text(successor), .text(id))
    }

    func removeTokens(
        ofFamily family: String,
        expiredBefore time: Timestamp
    ) throws(KeyServerError) {
        try post(
            "DELETE FROM tokens WHERE family = ? AND expires_at < ?",
            .text(family),
            .time(time)
        )
    }

    func revokeTokens(ofFamily family: String, at time: Timestamp) throws(KeyServerError) {
        try run(
            "UPDATE tokens SET revoked_at = ? WHERE family = ? AND revoked_at IS NULL",
            .time(time),
            .text(family)
        )
    }

    func revokeTokens(ofDevice device: Int, at time: Timestamp) throws(KeyServerError) {
        try run(
            "UPDATE tokens SET revoked_at = ? WHERE device = ? AND revoked_at IS NULL",
            .time(time),
            .integer(device)
        )
    }

    func revokeTokens(at time: Timestamp) throws(KeyServerError) -> Int {
        try run("UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL", .time(time))
    }

    func removeTokenKeys(but id: String) throws(KeyServerError) {
        try run("DELETE FROM token_keys WHERE id <> ?", .text(id))
    }

    func tokenKey(id: String) throws(KeyServerError) -> TokenKeyRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT id, sealed, created_at FROM token_keys WHERE id = ?",
                .text(id),
                read: Self.tokenKey
            )
        }
    }

    func newestTokenKey() throws(KeyServerError) -> TokenKeyRecord? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT id, sealed, created_at FROM token_keys ORDER BY created_at DESC, id LIMIT 1",
                read: Self.tokenKey
            )
        }
    }

    func insert(_ key: TokenKeyRecord) throws(KeyServerError) {
        try run(
            "INSERT INTO token_keys (id, sealed, created_at) VALUES (?, ?, ?)",
            .text(key.id),
            .blob(key.sealed),
            .time(key.createdAt)
        )
    }

    private static func tokenKey(_ row: any DatabaseRow) -> TokenKeyRecord {
        TokenKeyRecord(id: row.text(0), sealed: row.blob(1), createdAt: row.time(2))
    }

    /// Reads a token out of columns that begin at a certain one.
    static func token(_ row: any DatabaseRow, from first: Int32) -> TokenRecord {
        TokenRecord(
            id: row.text(first),
            family: row.text(first + 1),
            device: row.integer(first + 2),
            keys: row.textIfAny(first + 3)?.split(separator: " ").map(String.init),
            issuedAt: row.time(first + 4),
            expiresAt: row.time(first + 5),
            revokedAt: row.timeIfAny(first + 6),
            successor: row.textIfAny(first + 7)
        )
    }

    private static func token(_ row: any DatabaseRow) -> TokenRecord { token(row, from: 0) }
}
