internal import ArgumentParser
internal import KeyProtocol
internal import VolumeFormat
internal import VolumeTransfer

/// `secure-store volume passwd`.
struct VolumePassword: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd",
        abstract: "Gives a volume another key.",
        discussion: """
            Only the configuration is written anew, and replaced whole or not at all; no copy of \
            the old one is kept, for it would still open the volume with the old key. Whoever \
            copied the old one and knows the old key reads the volume still: then make a new \
            volume, with volume migrate.
            """
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @OptionGroup var selection: VolumeSelection

    @OptionGroup var new: NewKeyOptions

    func validate() throws {
        if new.newKeyFile == "-", selection.key.usesStandardInput {
            throw ValidationError("only one of both keys can come from standard input")
        }
    }

    func run() throws {
        let old = try selection.readKey()
        let new = try new.read()
        do throws(TransferError) {
            let path = try KeyChange(selection.location(storage)).change(
                from: old.text,
                to: new.key.text,
                scryptExponent: new.scryptExponent
            )
            try? Output.line("\(path) opens with the new key")
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// The key that a volume is given.
struct NewKeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file holding the new key; - for standard input. Without it a prompt.",
            valueName: "file"
        )
    )
    var newKeyFile: String?

    @Option(
        help: ArgumentHelp(
            "What an attempt at the new key costs, as with create; of gocryptfs's format.",
            valueName: "n"
        )
    )
    var scryptCost: Int?

    func validate() throws {
        if let scryptCost, !GocryptfsScrypt.exponents.contains(scryptCost) {
            throw ValidationError("--scrypt-cost must be 10 to 20")
        }
    }

    /// Reads the key.
    func read() throws -> (key: StoreKey, scryptExponent: Int) {
        let text =
            if let newKeyFile {
                try SecretInput.read(newKeyFile, limit: StoreKey.maximumCount + 2)
            } else {
                try Prompt.ask("New key or password", confirming: true)
            }
        let key = try StoreKey(text)
        return (key, try GocryptfsOptions.scryptExponent(scryptCost, for: key))
    }
}
