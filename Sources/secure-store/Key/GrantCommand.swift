internal import ArgumentParser
internal import KeyServer

/// `secure-store grant`.
struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Which devices may have which keys of the store.",
        subcommands: [Add.self, Remove.self, List.self]
    )

    /// Of which key a grant is, and for whom.
    struct Grant: ParsableArguments {
        @Argument(help: "The key's name.")
        var key: String

        @OptionGroup var subject: SubjectOptions
        @OptionGroup var state: StateOptions
    }

    /// `secure-store grant add`.
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Lets devices have a key, from this moment on."
        )

        @OptionGroup var grant: Grant

        func run() throws {
            try grant.state.administration().addGrant(ofKey: grant.key, to: grant.subject.subject())
        }
    }

    /// `secure-store grant remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Takes a grant back, from this moment on."
        )

        @OptionGroup var grant: Grant

        func run() throws {
            try grant.state.administration().removeGrant(
                ofKey: grant.key,
                to: grant.subject.subject()
            )
        }
    }

    /// `secure-store grant list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Lists who may have a key, or all keys."
        )

        @Argument(help: "The key's name; all without it.")
        var key: String?

        @OptionGroup var state: StateOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let keys = try state.administration().listKeys(key)
            guard !json else {
                let pairs = keys.map { ($0.name, $0.grants.map(\.description)) }
                try Output.json(["grants": Dictionary(uniqueKeysWithValues: pairs)])
                return
            }
            for key in keys {
                for grant in key.grants { try Output.line("\(key.name)  \(grant)") }
            }
        }
    }
}
