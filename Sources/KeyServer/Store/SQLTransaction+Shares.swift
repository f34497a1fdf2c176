internal import Database

extension SQLTransaction {
    private static let shareSetColumns = "id, shares, threshold, made_at, ended_at"

    func shareSet(_ id: String) throws(KeyServerError) -> ShareSet? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT \(Self.shareSetColumns) FROM share_sets WHERE id = ?",
                .text(id),
                read: Self.shareSet
            )
        }
    }

    func currentShareSet() throws(KeyServerError) -> ShareSet? {
        try attempt { () throws(DatabaseError) in
            try connection.row(
                "SELECT \(Self.shareSetColumns) FROM share_sets WHERE ended_at IS NULL",
                read: Self.shareSet
            )
        }
    }

    func setShareSet(_ set: ShareSet?, at time: Timestamp) throws(KeyServerError) {
        try run("UPDATE share_sets SET ended_at = ? WHERE ended_at IS NULL", .time(time))
        guard let set else { return }
        try run(
            "INSERT INTO share_sets (\(Self.shareSetColumns)) VALUES (?, ?, ?, ?, ?)",
            .text(set.id),
            .integer(set.count.shares),
            .integer(set.count.threshold),
            .time(set.madeAt),
            .time(set.endedAt)
        )
    }

    private static func shareSet(_ row: any DatabaseRow) -> ShareSet {
        ShareSet(
            id: row.text(0),
            count: ShareCount(storedShares: row.integer(1), threshold: row.integer(2)),
            madeAt: row.time(3),
            endedAt: row.timeIfAny(4)
        )
    }
}
