internal import ArgumentParser
internal import Cryptography
internal import Glibc
internal import KeyProtocol
internal import KeyServer

/// How a command is given the root key, which opens the store's keys.
struct RootKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file holding the root key; - for standard input. Without it: the systemd "
                + "credential 'root-key', else a prompt.",
            valueName: "file"
        )
    )
    var rootKeyFile: String?

    /// Reads the root key.
    ///
    /// - Throws: ``CommandFailure`` where there is none, and nobody to ask.
    func read(confirming: Bool = false) throws -> RootKey {
        if let key = try readIfGiven() { return key }
        guard Prompt.isPossible else {
            throw CommandFailure(.usage, "no root key: name a file with --root-key-file")
        }
        return try RootKey(Prompt.ask("Root key", confirming: confirming))
    }

    /// Reads the root key without asking anybody; `nil` where there is none.
    func readIfGiven() throws -> RootKey? {
        if let rootKeyFile { return try Self.read(rootKeyFile) }
        guard let directory = getenv("CREDENTIALS_DIRECTORY") else { return nil }
        let path = "\(String(cString: directory))/root-key"
        return StateFile.exists(path) ? try Self.read(path) : nil
    }

    /// Reads a root key from a file.
    static func read(_ path: String) throws -> RootKey {
        try RootKey(SecretInput.read(path, limit: StoreKey.maximumCount + 2))
    }
}
