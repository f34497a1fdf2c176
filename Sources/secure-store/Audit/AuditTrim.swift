internal import ArgumentParser
internal import KeyServer

extension AuditCommand {
    /// `secure-store audit key`.
    struct Key: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "key",
            abstract: "Prints the public key that checks the log's checkpoints.",
            discussion:
                "Keep it where the store is not: 'audit verify --public-key' wants it from there."
        )

        @OptionGroup var state: StateOptions

        func run() throws {
            let pem = try state.administration().auditKey().pem
            try Output.line(String(pem.dropLast()))
        }
    }

    /// `secure-store audit checkpoint`.
    struct Checkpoint: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "checkpoint",
            abstract: "Has the log signed as it is now.",
            discussion: """
                By the running server, which does so every ten minutes by itself; or, with \
                --root-key-file or --share-file, without one.
                """
        )

        @OptionGroup var seal: SealOptions
        @OptionGroup var state: StateOptions

        func run() throws {
            guard seal.root.rootKeyFile == nil, seal.shareFile.isEmpty else {
                let administration = try state.administration()
                let made = try administration.signAudit(seal.openVault(of: administration))
                try Output.line("signed up to entry \(made.place.number) by key \(made.key)")
                return
            }
            try Output.line(OperatorSocket.ask(.sign, of: state.directory))
        }
    }

    /// `secure-store audit trim`.
    struct Trim: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trim",
            abstract: "Moves the log's older part into a file.",
            discussion: """
                Up to the last checkpoint before the date, which takes its place: the chain goes on \
                from there, and 'audit verify' follows it, in the file as in the store.
                """
        )

        @Option(
            help: ArgumentHelp(
                "Entries from this day on stay (YYYY-MM-DD, or with THH:MM:SSZ; UTC).",
                valueName: "date"
            ),
            transform: KeyRetire.date
        )
        var before: Timestamp

        @Option(help: ArgumentHelp("A file that does not exist.", valueName: "file"))
        var out: String

        @OptionGroup var state: StateOptions

        func run() throws {
            let trimmed = try state.administration().trimAudit(before: before, to: out) { line in
                try AuditLine(line).encoded()
            }
            try Output.line(
                "\(trimmed.count) entries, up to \(trimmed.checkpoint.place.number), are in \(out)"
            )
        }
    }
}
