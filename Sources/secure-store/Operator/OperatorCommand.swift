internal import ArgumentParser
internal import KeyServer

/// `secure-store operator`.
struct OperatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract:
            "What opens a store's keys: a root key, or shares of one; and copies of the store.",
        discussion: """
            The root key is a generated key ('secure-store key new') or a passphrase. It must not \
            be kept on the disk the store is on: who has both has every key. With --shares nobody \
            has it, and so many people together open the store.
            """,
        subcommands: [
            Initialize.self, Unseal.self, Seal.self, Status.self, Rekey.self, Backup.self,
            Restore.self,
        ]
    )

    /// `secure-store operator init`.
    struct Initialize: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Makes a store able to hold keys.",
            discussion: """
                Under a root key that is given, or with --shares N --threshold K under one that is \
                drawn and shared out: any K of the N open the store, fewer know nothing.
                """
        )

        @OptionGroup var root: RootKeyOptions
        @OptionGroup var shares: ShareOptions
        @OptionGroup var state: StateOptions

        func run() throws {
            let administration = try state.administration()
            guard try !administration.hasSeal() else { throw KeyServerError.sealed }
            if let count = try shares.count() {
                try administration.initializeSeal(count) { made throws(KeyServerError) in
                    try shares.deliver(made)
                }
                shares.report(count)
                return
            }
            try administration.initializeSeal(root.read(confirming: true))
        }
    }

    /// `secure-store operator rekey`.
    struct Rekey: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rekey",
            abstract: "Puts another root key, or other shares, in place of the present ones.",
            discussion: """
                The keys stay as they are, and a running server goes on. Copies of the database \
                from before still open with the old root key or shares.
                """
        )

        @OptionGroup var seal: SealOptions
        @OptionGroup var shares: ShareOptions

        @Option(help: ArgumentHelp("A file holding the new root key.", valueName: "file"))
        var newRootKeyFile: String?

        @OptionGroup var state: StateOptions

        func run() throws {
            let administration = try state.administration()
            let count = try shares.count()
            let old = try seal.rootKey(of: administration)
            if let count {
                try administration.changeRootKey(from: old, to: count) {
                    made throws(KeyServerError) in
                    try shares.deliver(made)
                }
                shares.report(count)
                return
            }
            let new =
                if let newRootKeyFile {
                    try RootKeyOptions.read(newRootKeyFile)
                } else {
                    try RootKey(Prompt.ask("New root key", confirming: true))
                }
            try administration.changeRootKey(from: old, to: new)
        }
    }
}
