internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol
internal import KeyServer
internal import Linux

extension OperatorCommand {
    /// `secure-store operator unseal`.
    struct Unseal: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unseal",
            abstract: "Gives a running server a share, or the root key.",
            discussion: """
                Each person runs it with one share, at a prompt without echo, and it says how many \
                there are. The server keeps the shares in memory until the last comes, and forgets \
                them 15 minutes after the last one that came (serve --unseal-within).
                """
        )

        @Option(
            help: ArgumentHelp(
                "A file holding shares, one a line; may be repeated; - for standard input.",
                valueName: "file"
            )
        )
        var shareFile: [String] = []

        @OptionGroup var root: RootKeyOptions

        @Flag(help: "Have the server forget the shares that were given so far.")
        var reset = false

        @OptionGroup var state: StateOptions

        func run() throws {
            // What is read here is not for debuggers either.
            try? CurrentProcess.refuseDumps()
            let directory = state.directory
            if reset {
                try Output.line(OperatorSocket.ask(.reset, of: directory))
                return
            }
            if !shareFile.isEmpty {
                for share in try ShareInput.read(shareFile) {
                    try Output.line(OperatorSocket.ask(.share(share), of: directory))
                }
                return
            }
            if let rootKeyFile = root.rootKeyFile {
                try give(SecretInput.read(rootKeyFile, limit: StoreKey.maximumCount + 2))
                return
            }
            // The server before the person: nobody is to type for nothing.
            Program.report(try OperatorSocket.ask(.status, of: directory))
            if try state.administration().shareSet() != nil {
                let share = try ShareInput.ask("Share")
                try Output.line(OperatorSocket.ask(.share(share), of: directory))
            } else {
                try give(Prompt.ask("Root key"))
            }
        }

        private func give(_ key: SecretBytes) throws {
            try Output.line(OperatorSocket.ask(.root(key), of: state.directory))
        }
    }

    /// `secure-store operator seal`.
    struct Seal: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "seal",
            abstract: "Has a running server forget what opens its keys, at once.",
            discussion:
                "Devices wait until 'operator unseal'; those that have their keys keep them."
        )

        @OptionGroup var state: StateOptions

        func run() throws { try Output.line(OperatorSocket.ask(.seal, of: state.directory)) }
    }

    /// `secure-store operator status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Says whether a running server is sealed."
        )

        @OptionGroup var state: StateOptions

        func run() throws { try Output.line(OperatorSocket.ask(.status, of: state.directory)) }
    }
}
