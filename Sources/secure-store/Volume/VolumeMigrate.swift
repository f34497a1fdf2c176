internal import ArgumentParser
internal import CryptFS
internal import KeyProtocol
internal import VolumeTransfer

/// `secure-store volume migrate`.
struct VolumeMigrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Copies a volume into a new one, of either format.",
        discussion: """
            The volume is only read. The new one has keys of its own, and opens with the same key \
            unless another is given. Each file is read back and compared before it gets its place; \
            what is there already with the same size and time is passed over, so running again \
            goes on where a run was stopped. Sparse files stay sparse and hard links one file, \
            but in rclone's format, which has neither.
            """
    )

    @Argument(help: "The directory with the encrypted files.")
    var source: String

    @Argument(help: "The directory for the new volume; empty, or not there yet.")
    var target: String

    @OptionGroup var selection: VolumeSelection

    @Option(
        help: ArgumentHelp(
            "The new volume's configuration; without it gocryptfs.conf in it, and for rclone's "
                + "format this is needed.",
            valueName: "file"
        )
    )
    var targetConfig: String?

    @Option(
        help: ArgumentHelp(
            "A file holding the new volume's key; - for standard input.",
            valueName: "file"
        )
    )
    var newKeyFile: String?

    @OptionGroup var format: NewVolumeOptions
    @OptionGroup var transfer: TransferOptions

    func validate() throws {
        if format.format == .rclone, targetConfig == nil {
            throw ValidationError("name the new volume's configuration with --target-config")
        }
        if newKeyFile == "-", selection.key.usesStandardInput {
            throw ValidationError("only one of both keys can come from standard input")
        }
    }

    func run() async throws {
        let key = try selection.readKey()
        let volume = try selection.open(source, .reading, key)
        let newKey = try newKeyFile.map {
            try StoreKey(SecretInput.read($0, limit: StoreKey.maximumCount + 2))
        }
        var place = selection
        place.config = targetConfig ?? "\(target)/gocryptfs.conf"
        let copy = try place.open(
            target,
            .writing,
            newKey ?? key,
            .ifEmpty(format.volume(for: newKey ?? key))
        )
        try await transfer.run { progress, width throws(TransferError) in
            try await Migration(of: volume, into: copy, width: width, progress: progress).run()
        }
    }
}
