internal import ArgumentParser
internal import CryptFS
internal import Cryptography
internal import KeyProtocol
internal import Linux
internal import VolumeFormat
internal import VolumeTransfer

/// `secure-store volume recover`.
struct VolumeRecover: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Opens a volume again whose key or configuration is lost, from its master key.",
        discussion: """
            Of gocryptfs's format only. Writes a configuration under a new key. One that is there \
            says how the volume is made, and is kept as gocryptfs.conf.bak; where it is gone, the \
            options say it, as they were given to create. Nothing is written unless the master key \
            opens something of what is stored.
            """
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @Option(help: ArgumentHelp("The volume's configuration.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A file holding the master key as export shows it; - for standard input. Without it a "
                + "prompt.",
            valueName: "file"
        )
    )
    var masterKeyFile: String?

    @Option(
        help: ArgumentHelp(
            "A file holding the new key; - for standard input. Without it a prompt.",
            valueName: "file"
        )
    )
    var newKeyFile: String?

    @OptionGroup var made: GocryptfsOptions

    func validate() throws {
        if masterKeyFile == "-", newKeyFile == "-" {
            throw ValidationError("only one of both keys can come from standard input")
        }
    }

    func run() throws {
        try? CurrentProcess.refuseDumps()
        try? CoreLimit.refuseDumps()
        let paper =
            if let masterKeyFile {
                try SecretInput.read(masterKeyFile, limit: 1024)
            } else {
                try Prompt.ask("Master key")
            }
        guard let masterKey = GocryptfsMasterKey(paper: paper) else {
            throw CommandFailure(
                .data,
                "not a master key: it has 64 hexadecimal digits, in groups if you like"
            )
        }
        let key =
            if let newKeyFile {
                try StoreKey(SecretInput.read(newKeyFile, limit: StoreKey.maximumCount + 2))
            } else {
                try StoreKey(Prompt.ask("New key or password", confirming: true))
            }
        let choices = try made.choices(for: key)
        do throws(TransferError) {
            let path = try Recovery(
                VolumeLocation(storage: storage, configuration: config),
                masterKey: masterKey
            ).run(key: key.text, choices: choices)
            try? Output.line("\(path) opens with the new key")
        } catch {
            throw CommandFailure(error)
        }
    }
}
