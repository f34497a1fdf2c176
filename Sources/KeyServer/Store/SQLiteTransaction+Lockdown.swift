internal import SQLite

extension SQLiteTransaction {
    func lockdown() throws(KeyServerError) -> Lockdown? {
        try attempt { () throws(SQLiteError) in
            try connection.row("SELECT since, reason FROM lockdown") {
                Lockdown(since: $0.time(0), reason: $0.text(1))
            }
        }
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
