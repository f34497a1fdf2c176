internal import ArgumentParser
internal import KeyServer

/// Where a server's certificates are.
struct DirectoryOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var state = "/var/lib/secure-store"

    /// The directory.
    var directory: StateDirectory { StateDirectory(state) }
}
