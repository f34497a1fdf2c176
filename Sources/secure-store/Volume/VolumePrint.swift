internal import ArgumentParser
internal import Cryptography
internal import VolumeTransfer

/// `secure-store volume cat`.
struct VolumePrint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat",
        abstract: "Writes files of a volume to standard output.",
        discussion: "Nothing of a block is written that does not authenticate."
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @Argument(help: "Files in the volume.")
    var paths: [String]

    @OptionGroup var selection: VolumeSelection

    func run() throws {
        let volume = try selection.open(storage, .reading)
        for path in paths {
            do {
                try volume.read(VolumePath.segments(path)) { piece in try Output.raw(piece) }
            } catch let error as TransferError {
                throw CommandFailure(error)
            }
        }
    }
}
