internal import ArgumentParser
internal import CryptFS
internal import VolumeTransfer

/// `secure-store volume encrypt`.
struct VolumeEncrypt: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encrypt",
        abstract: "Encrypts a folder's content, or a file, into a volume.",
        discussion: """
            What is in the volume already with the same size and time is passed over, so running \
            again goes on where a run was stopped. Each file is read back and compared before it \
            gets its place. What is in the volume and not in the folder stays. Sparse files stay \
            sparse and hard links one file, but in rclone's format, which has neither.
            """
    )

    @Argument(help: "A folder, or a file.")
    var source: String

    @Argument(help: "The directory for the encrypted files.")
    var storage: String

    @OptionGroup var selection: VolumeSelection

    @Option(help: "What happens where there is no volume: auto makes one, never is an error.")
    var create = VolumeCreation.auto

    @Option(help: "Whose format a new volume has: gocryptfs, or rclone.")
    var format = VolumeFormatName.usual

    @Flag(
        help: """
            Make the folder itself a directory of the volume, unless its path ends in . or ..
            """
    )
    var keepFolder = false

    @OptionGroup var transfer: TransferOptions

    func run() async throws {
        let key = try selection.readKey()
        let creation: StoredVolume.Creation =
            create == .auto ? .ifEmpty(try format.volume(for: key)) : .never
        let volume = try selection.open(storage, .writing, key, creation)
        try await transfer.run { progress, width throws(TransferError) in
            try await Encryption(
                of: source,
                into: volume,
                width: width,
                placement: keepFolder ? .folder : .content,
                progress: progress
            ).run()
        }
    }
}

/// Whether a volume is made where there is none.
enum VolumeCreation: String, ExpressibleByArgument, CaseIterable {
    case auto, never
}
