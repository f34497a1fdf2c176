internal import Database

extension SQLTransaction {
    func lockdown() throws(KeyServerError) -> Lockdown? {
        try attempt { () throws(DatabaseError) in
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
