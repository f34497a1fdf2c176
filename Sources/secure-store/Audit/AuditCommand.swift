internal import ArgumentParser
internal import Cryptography
internal import KeyServer

/// `secure-store audit`.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "What was decided and changed, and that nobody has altered the record.",
        subcommands: [Tail.self, Export.self, Verify.self]
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
                the one before it (32 zero bytes before the first) and the entry.
                """
        )

        @Option(help: "The number of the first entry wanted.")
        var from = 1

        @OptionGroup var state: StateOptions

        func run() throws {
            try AuditTrail(try state.administration().storage).forEach(from: from) { record in
                try Output.json(["entry": record.entry, "hash": Hexadecimal.encode(record.hash)])
            }
        }
    }

    /// `secure-store audit verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Checks that no entry was changed, moved or taken out.",
            discussion: """
                Prints how many entries there are and the last one's hash: keep the two elsewhere, \
                and a later --expect NUMBER:HASH proves that those entries are all still there. \
                Exit code 65 where something is not as it was written.
                """
        )

        @Option(
            help: ArgumentHelp("What an earlier run printed.", valueName: "number:hash")
        )
        var expect: String?

        @OptionGroup var state: StateOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let trail = AuditTrail(try state.administration().storage)
            let finding = try trail.verify(expecting: try expect.map(AuditTrail.Mark.init))
            if let broken = finding.broken {
                throw CommandFailure(
                    .data,
                    "the audit log is not as it was written: entry \(broken) is missing or changed"
                )
            }
            guard json else {
                try Output.line("\(finding.count) entries in order, up to")
                try Output.line("\(finding.count):\(finding.head)")
                return
            }
            try Output.json(Report(entries: finding.count, head: finding.head))
        }

        private struct Report: Encodable {
            var entries: Int
            var head: String
        }
    }
}
