internal import ArgumentParser
internal import KeyServer

/// `secure-store lockdown`.
struct LockdownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lockdown",
        abstract: "Gives nobody a key, until it is lifted.",
        discussion: """
            Counts at once on a running server, and no restart lifts it. Devices that ask wait and \
            go on asking; those that have their keys keep them.
            """,
        subcommands: [On.self, Off.self, Show.self],
        defaultSubcommand: Show.self
    )

    /// `secure-store lockdown on`.
    struct On: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "on",
            abstract: "Gives nobody a key from this moment on."
        )

        @Option(help: "Why, for the record.")
        var reason = ""

        @OptionGroup var state: StateOptions

        func run() throws { try state.administration().lockDown(reason: reason) }
    }

    /// `secure-store lockdown off`.
    struct Off: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "off",
            abstract: "Ends the lockdown."
        )

        @OptionGroup var state: StateOptions

        func run() throws { try state.administration().liftLockdown() }
    }

    /// `secure-store lockdown show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Says whether there is one."
        )

        @OptionGroup var state: StateOptions

        func run() throws {
            guard let lockdown = try state.administration().lockdown() else {
                try Output.line("no lockdown")
                return
            }
            let reason = lockdown.reason.isEmpty ? "" : ": \(lockdown.reason)"
            try Output.line("locked down since \(lockdown.since)\(reason)")
        }
    }
}
