internal import ArgumentParser
internal import KeyServer

/// `secure-store operator`.
struct OperatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "The root key, under which a store keeps its keys; and copies of the store.",
        discussion: """
            The root key is a generated key ('secure-store key new') or a passphrase. It must not \
            be kept on the disk the store is on: who has both has every key.
            """,
        subcommands: [Initialize.self, Rekey.self, Backup.self, Restore.self]
    )

    /// `secure-store operator init`.
    struct Initialize: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Makes a store able to hold keys."
        )

        @OptionGroup var root: RootKeyOptions
        @OptionGroup var state: StateOptions

        func run() throws {
            let administration = try state.administration()
            guard try !administration.hasSeal() else { throw KeyServerError.sealed }
            try administration.initializeSeal(root.read(confirming: true))
        }
    }

    /// `secure-store operator rekey`.
    struct Rekey: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rekey",
            abstract: "Puts another root key in place of the present one.",
            discussion: """
                The keys stay as they are, and a running server goes on. Copies of the database \
                from before still open with the old root key.
                """
        )

        @OptionGroup var root: RootKeyOptions

        @Option(help: ArgumentHelp("A file holding the new root key.", valueName: "file"))
        var newRootKeyFile: String?

        @OptionGroup var state: StateOptions

        func run() throws {
            let old = try root.read()
            let new =
                if let newRootKeyFile {
                    try RootKeyOptions.read(newRootKeyFile)
                } else {
                    try RootKey(Prompt.ask("New root key", confirming: true))
                }
            try state.administration().changeRootKey(from: old, to: new)
        }
    }
}
