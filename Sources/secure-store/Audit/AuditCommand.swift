internal import ArgumentParser
internal import KeyServer

/// `secure-store audit`.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "What was decided and changed, and that nobody has altered the record.",
        subcommands: [
            Tail.self, Export.self, Verify.self, Key.self, Checkpoint.self, Trim.self,
        ]
    )

    /// `secure-store audit tail`.
    struct Tail: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "tail",
            abstract: "Prints the last entries, a JSON object a line."
        )

        @Option(name: .shortAndLong, help: "How many.")
        var count = 20

        @OptionGroup var state: StateOptions

        func validate() throws {
            guard (1...1_000_000).contains(count) else {
                throw ValidationError("--count must be 1 to 1000000")
            }
        }

        func run() throws {
            let trail = AuditTrail(try state.administration().storage)
            for record in try trail.last(count) { try Output.line(record.entry) }
        }
    }

    /// `secure-store audit export`.
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Prints every entry with its hash, a JSON object a line.",
            discussion: """
                {"entry":"…","hash":"…"}: the entry as it was hashed. Each hash is the SHA-256 of \
                the one before it (32 zero bytes before the first) and the entry. Where entries were \
                cut off by 'audit trim', the first line is the {"checkpoint":{…}} that speaks for them.
                """
        )

        @Option(help: "The number of the first entry wanted.")
        var from = 1

        @OptionGroup var state: StateOptions

        func run() throws {
            let trail = AuditTrail(try state.administration().storage)
            if let base = try trail.base(), from <= base.place.number + 1 {
                try Output.bytes(AuditLine(base).encoded())
            }
            try trail.forEach(from: from) { record in
                try Output.bytes(AuditLine(record).encoded())
            }
        }
    }
}
