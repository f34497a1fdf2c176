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
        let key = try StoreKey(text(confirming: confirming))
        if key.generated == nil, Self.looksGenerated(key.text) {
            Program.report(
                "warning: this begins as a generated key does, but its checksum is wrong: was it "
                    + "copied whole? It is taken for a password"
            )
        }
        return key
    }

    private func text(confirming: Bool) throws -> SecretBytes {
        if let keyFile {
            return try SecretInput.read(keyFile, limit: StoreKey.maximumCount + 2)
        }
        if let password = SecretInput.take("STORE_PASSWORD") { return password }
        guard Prompt.isPossible else {
            throw CommandFailure(
                .usage,
                "no key: name a file with --key-file, or set STORE_PASSWORD"
            )
        }
        return try Prompt.ask("Key or password", confirming: confirming)
    }

    private static func looksGenerated(_ text: SecretBytes) -> Bool {
        text.withUnsafeBytes { $0.starts(with: GeneratedKey.prefix.utf8) }
    }
}
