internal import ArgumentParser
internal import Cryptography
internal import Glibc
internal import KeyServer
internal import PostgreSQL

/// Which server a command administers.
struct StateOptions: ParsableArguments {
    @OptionGroup var place: DirectoryOptions

    @Option(
        help: ArgumentHelp(
            "The store is in PostgreSQL, not in the directory: postgres://user@host/name. Without "
                + "it: STORE_DATABASE.",
            valueName: "url"
        )
    )
    var database: String?

    @Option(
        help: ArgumentHelp(
            "A file holding the database's password. Without it: the URL's, PGPASSFILE, ~/.pgpass.",
            valueName: "file"
        )
    )
    var databasePasswordFile: String?

    /// The directory.
    var directory: StateDirectory { place.directory }

    /// Whether there is a store, or may be one.
    var mayHoldStore: Bool {
        database != nil || getenv("STORE_DATABASE").map { $0.pointee != 0 } == true
            || directory.holdsStore || directory.holdsAuthority
    }

    /// The store there, which running servers may have open as well.
    ///
    /// - Throws: ``KeyServerError``.
    func administration() throws -> Administration {
        try Administration(directory, in: postgreSQL())
    }

    /// The PostgreSQL database, where one is named.
    ///
    /// - Throws: ``CommandFailure`` for what is no URL of one; ``KeyServerError``.
    func postgreSQL() throws -> PostgreSQLAddress? {
        let variable = SecretInput.take("STORE_DATABASE")
        guard let url = database.map({ SecretBytes(copying: $0.utf8) }) ?? variable else {
            guard databasePasswordFile == nil else {
                throw CommandFailure(.usage, "--database-password-file goes with --database")
            }
            return nil
        }
        let password = try databasePasswordFile.map { path throws(KeyServerError) in
            try SecretInput.read(path, limit: 4096)
        }
        do {
            let address = try PostgreSQLAddress(url, password: password)
            if database != nil, address.holdsPassword {
                Program.report(
                    "warning: a password on the command line is visible to every user of this "
                        + "machine; --database-password-file or STORE_DATABASE keeps it to yourself"
                )
            }
            return address
        } catch {
            throw CommandFailure(.usage, "the database's URL: \(error)")
        }
    }
}
