internal import ArgumentParser
internal import KeyServer

extension OperatorCommand {
    /// `secure-store operator backup`.
    struct Backup: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Copies the store into a file, while the server goes on.",
            discussion: """
                The copy holds devices, grants, policies, counters, the audit log, and the keys, \
                which stay sealed under the root key. It does not hold the directory's .pem files: \
                those change only with 'ca'. A store in PostgreSQL is copied with pg_dump.
                """
        )

        @Argument(help: "A file that does not exist.")
        var file: String

        @OptionGroup var state: StateOptions

        func run() throws { try state.administration().backUp(to: file) }
    }

    /// `secure-store operator restore`.
    struct Restore: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore",
            abstract: "Puts a copy in the place of a store that is gone.",
            discussion: """
                Stop the server, and move its store.db, store.db-wal and store.db-shm away first. \
                What was done after the copy is undone: revoke again what was revoked since.
                """
        )

        @Argument(help: "What 'operator backup' wrote.")
        var file: String

        @OptionGroup var state: StateOptions

        func run() throws {
            guard try state.postgreSQL() == nil else { throw KeyServerError.notInFile }
            try Administration.restore(file, into: state.directory)
        }
    }
}
