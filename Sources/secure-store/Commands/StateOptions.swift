internal import ArgumentParser
internal import KeyServer

/// Which server a command administers.
struct StateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var state = "/var/lib/secure-store"

    /// The directory.
    var directory: StateDirectory { StateDirectory(state) }

    /// The store there, which a running server may have open as well.
    ///
    /// - Throws: ``KeyServerError``.
    func administration() throws(KeyServerError) -> Administration {
        try Administration(directory)
    }
}
