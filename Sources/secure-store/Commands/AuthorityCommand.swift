internal import ArgumentParser
internal import Cryptography
internal import Glibc
internal import KeyServer

/// `secure-store ca`.
struct AuthorityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca",
        abstract: "The store's own certificate authority.",
        subcommands: [Initialize.self, Show.self, RenewServer.self, IssueServer.self]
    )

    /// The names a server is called by.
    struct HostOptions: ParsableArguments {
        @Option(
            name: .customLong("hostname"),
            help: ArgumentHelp(
                "A name or address devices call the server by; may be repeated. Without it: this "
                    + "machine's name and localhost.",
                valueName: "name"
            )
        )
        var hostNames: [String] = []

        /// What was given, or what every machine answers to.
        func names() -> [String] {
            guard hostNames.isEmpty else { return hostNames }
            var buffer = [CChar](repeating: 0, count: 256)
            guard gethostname(&buffer, buffer.count - 1) == 0 else { return ["localhost"] }
            let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
            return (name == "localhost" ? [] : [name]) + ["localhost", "127.0.0.1", "::1"]
        }
    }

    /// `secure-store ca init`.
    struct Initialize: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Makes an authority and a certificate for the server.",
            discussion: "Both ECDSA P-256. The authority's key never leaves the directory."
        )

        @OptionGroup var state: DirectoryOptions
        @OptionGroup var hosts: HostOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            try state.directory.createAuthority(hostNames: hosts.names())
            try Show.show(state.directory, json: json)
        }
    }

    /// `secure-store ca renew-server`.
    struct RenewServer: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "renew-server",
            abstract: "Gives the server a new certificate from the same authority.",
            discussion: "For other host names, or before the old one ends. Restart the server."
        )

        @OptionGroup var state: DirectoryOptions
        @OptionGroup var hosts: HostOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            try state.directory.renewServerCertificate(hostNames: hosts.names())
            try Show.show(state.directory, json: json)
        }
    }

    /// `secure-store ca issue-server`.
    struct IssueServer: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "issue-server",
            abstract: "Makes the directory of one more server of the same store.",
            discussion: """
                For several servers on one PostgreSQL database. The new directory holds the \
                authority's certificate and the server's own, and not the authority's key: \
                'device add' goes on being done where that is. Carry it to the server as a secret.
                """
        )

        @Argument(help: ArgumentHelp("The directory to make.", valueName: "dir"))
        var directory: String

        @OptionGroup var state: DirectoryOptions
        @OptionGroup var hosts: HostOptions

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            let other = StateDirectory(directory)
            try state.directory.issueServer(into: other, hostNames: hosts.names())
            try Show.show(other, json: json)
        }
    }

    /// `secure-store ca show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Shows the authority and the server's certificate."
        )

        @OptionGroup var state: DirectoryOptions

        @Flag(help: "Print the authority's certificate itself, PEM.")
        var pem = false

        @Flag(help: "Print one JSON object.")
        var json = false

        func run() throws {
            guard pem else {
                try Self.show(state.directory, json: json)
                return
            }
            guard state.directory.holdsAuthority else {
                throw KeyServerError.noAuthority(directory: state.state)
            }
            try Output.bytes(StateFile.read(state.directory.authorityCertificate))
        }

        static func show(_ directory: StateDirectory, json: Bool) throws {
            guard directory.holdsAuthority else {
                throw KeyServerError.noAuthority(directory: directory.path)
            }
            let report = Report(
                directory: directory.path,
                authority: CertificateReport(
                    try CertificateInfo(readingFile: directory.authorityCertificate)
                ),
                server: CertificateReport(
                    try CertificateInfo(readingFile: directory.serverCertificate)
                )
            )
            guard !json else {
                try Output.json(report)
                return
            }
            try Output.line("Directory  \(report.directory)")
            try Output.line(
                "Authority  \(report.authority.name), until \(report.authority.notAfter)"
            )
            try Output.line("  SHA-256  \(report.authority.fingerprint)")
            try Output.line(
                "Server     \(report.server.alternativeNames.joined(separator: ", ")), "
                    + "until \(report.server.notAfter)"
            )
            try Output.line("  SHA-256  \(report.server.fingerprint)")
        }

        private struct Report: Encodable {
            var directory: String
            var authority: CertificateReport
            var server: CertificateReport
        }
    }
}
