internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer

/// `secure-store key`.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Makes keys and tells them apart.",
        subcommands: [New.self, ShowID.self]
    )

    /// `secure-store key new`.
    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new",
            abstract: "Makes a random key (ssk1_…)."
        )

        @Option(help: ArgumentHelp("Write the key there, mode 0600.", valueName: "file"))
        var out: String?

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let key = StoreKey.generate()
            let id = key.generated?.id ?? ""
            if let out {
                let line = SecretBytes.concatenating([key.text, SecretBytes(copying: "\n".utf8)])
                try StateFile.create(out, contents: line, mode: 0o600)
                try json
                    ? Output.json(["file": out, "id": id]) : Output.line("Key \(id) is in \(out)")
            } else if json {
                let text = key.text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                try Output.json(["id": id, "key": text])
            } else {
                try Output.bytes(
                    SecretBytes.concatenating([key.text, SecretBytes(copying: "\n".utf8)])
                )
            }
        }
    }

    /// `secure-store key show-id`.
    struct ShowID: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show-id",
            abstract: "Prints the id of a generated key, which is no secret."
        )

        @OptionGroup var key: KeyOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            guard let id = try key.read().generated?.id else {
                throw CommandFailure(
                    .data,
                    "this is a password, or a mistyped key: only generated keys have an id"
                )
            }
            try json ? Output.json(["id": id]) : Output.line(id)
        }
    }
}
