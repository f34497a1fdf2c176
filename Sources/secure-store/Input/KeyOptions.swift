internal import ArgumentParser
internal import Cryptography
internal import KeyProtocol

/// How a command is given the key it works with.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file holding the key; - for standard input. Without it: STORE_PASSWORD, "
                + "else a prompt.",
            valueName: "file"
        )
    )
    var keyFile: String?

    /// Whether the key takes standard input.
    var usesStandardInput: Bool { keyFile == "-" }

    /// Reads the key.
    ///
    /// - Parameter confirming: Ask twice at a prompt, for a key that cannot be checked.
    /// - Returns: The key.
    /// - Throws: ``KeyServerError``, ``KeyFormatError``, ``CommandFailure``.
    func read(confirming: Bool = false) throws -> StoreKey {
        if let keyFile {
            return try StoreKey(SecretInput.read(keyFile, limit: StoreKey.maximumCount + 2))
        }
        if let password = SecretInput.take("STORE_PASSWORD") { return try StoreKey(password) }
        guard Prompt.isPossible else {
            throw CommandFailure(
                .usage,
                "no key: name a file with --key-file, or set STORE_PASSWORD"
            )
        }
        return try StoreKey(Prompt.ask("Key or password", confirming: confirming))
    }
}
