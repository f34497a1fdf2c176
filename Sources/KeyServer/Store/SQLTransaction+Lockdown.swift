internal import Database

extension SQLTransaction {
    static let lockdownInForce = "SELECT since, reason FROM lockdown"

    func lockdown() throws(KeyServerError) -> Lockdown? {
        try attempt { () throws(DatabaseError) in
            try connection.row(Self.lockdownInForce, read: Self.lockdown)
        }
    }

    static func lockdown(_ row: any DatabaseRow) -> Lockdown {
        Lockdown(since: row.time(0), reason: row.text(1))
    }

    func setLockdown(_ lockdown: Lockdown?) throws(KeyServerError) {
        try run("DELETE FROM lockdown")
        guard let lockdown else { return }
        try run(
            "INSERT INTO lockdown (id, since, reason) VALUES (1, ?, ?)",
            .time(lockdown.since),
            .text(lockdown.reason)
        )
    }
}
