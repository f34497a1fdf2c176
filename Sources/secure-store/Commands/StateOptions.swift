internal import ArgumentParser
internal import KeyServer

/// Which server a command administers.
struct StateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var state = "/var/lib/secure-store"

    /// The directory.
    var directory: StateDirectory { StateDirectory(state) }
}
