internal import ArgumentParser
internal import VolumeTransfer

/// `secure-store volume decrypt`.
struct VolumeDecrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decrypt",
        abstract: "Decrypts a volume into a folder.",
        discussion: """
            What is in the folder already with the same size and time is passed over. Each file is \
            read back and compared before it gets its place; of a damaged one nothing is left. \
            Sparse files stay sparse, and hard links one file.
            """
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @Argument(help: "A folder; made if it is not there.")
    var target: String

    @OptionGroup var selection: VolumeSelection
    @OptionGroup var transfer: TransferOptions

    func run() async throws {
        let volume = try selection.open(storage, .reading)
        try await transfer.run { progress, width throws(TransferError) in
            try await Decryption(of: volume, into: target, width: width, progress: progress).run()
        }
    }
}
