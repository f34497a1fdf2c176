internal import ArgumentParser
internal import KeyProtocol

/// The root command.
struct SecureStore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secure-store",
        abstract: "Encrypts content and variables for devices, and serves them the keys.",
        discussion: """
            Secrets are read from standard input, a file or a prompt; none is needed on the \
            command line. Exit codes: 0 done, 64 usage, 65 data is malformed or does not decrypt, \
            69 service unavailable, 71 operating system, 73 would overwrite, 74 input or output, \
            77 permission denied or refused by a server, 78 configuration.

            The original Secure Store's flags, such as -generate-keys or -server, work as well.
            """,
        version: "secure-store \(ProductVersion.text)",
        subcommands: [
            KeyCommand.self, EnvironmentCommand.self, AuthorityCommand.self, DeviceCommand.self,
            EnrolCommand.self, TokenCommand.self,
            GrantCommand.self, PolicyCommand.self, OperatorCommand.self, LockdownCommand.self,
            AuditCommand.self, VolumeCommand.self, BalenaCommand.self,
            ServeCommand.self, DoctorCommand.self,
            CompletionsCommand.self,
            OriginalCommand.self,
        ]
    )
}
