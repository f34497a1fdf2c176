internal import ArgumentParser
internal import Cryptography
internal import KeyServer

extension AuditCommand {
    /// `secure-store audit verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Checks that no entry was changed, moved or taken out.",
            discussion: """
                Of the store, or of a file that 'audit export' or 'audit trim' wrote, wherever it \
                is. Checkpoints are held against --public-key, which 'audit key' gave out when the \
                store was sound; without it, against the store's own word. Prints the number of the \
                last entry and its hash: keep them elsewhere, and a later --expect NUMBER:HASH proves \
                that those entries are all still there. Exit code 65 where something is not as it was \
                written.
                """
        )

        @Argument(help: "An exported log; - for standard input. Without it: the store's.")
        var file: String?

        @Option(
            help: ArgumentHelp("What an earlier run printed.", valueName: "number:hash")
        )
        var expect: String?

        @Option(help: ArgumentHelp("What 'audit key' printed.", valueName: "file"))
        var publicKey: String?

        @OptionGroup var state: StateOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let mark = try expect.map(AuditTrail.Mark.init)
            let key = try publicKey.map { path in
                let text = try StateFile.read(path).withUnsafeBytes {
                    String(decoding: $0, as: UTF8.self)
                }
                return try AuditPublicKey(pem: text, source: path)
            }
            let found =
                if let file {
                    try AuditFile.verify(file, key: key, expecting: mark)
                } else {
                    try AuditTrail(state.administration().storage).verify(
                        expecting: mark,
                        key: key
                    )
                }
            if let broken = found.broken { throw KeyServerError.brokenAudit(entry: broken) }
            guard key == nil || found.signed != nil else {
                throw CommandFailure(
                    .data,
                    "no checkpoint in the audit log is signed with this key"
                )
            }
            guard json else {
                let signed = found.signed.map { ", signed up to \($0.number)" } ?? ""
                try Output.line("\(found.count) entries in order\(signed), up to")
                try Output.line(found.place.text)
                return
            }
            try Output.json(
                Report(
                    entries: found.count,
                    head: String(found.place.text.drop { $0 != ":" }.dropFirst()),
                    last: found.place.number,
                    signed: found.signed?.number,
                    checkpoints: found.checkpoints
                )
            )
        }

        private struct Report: Encodable {
            var entries: Int
            var head: String
            var last: Int
            var signed: Int?
            var checkpoints: Int
        }
    }
}
