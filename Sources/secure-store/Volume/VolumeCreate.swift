internal import ArgumentParser
internal import CryptFS
internal import VolumeTransfer

/// `secure-store volume create`.
struct VolumeCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes a new, empty volume.",
        discussion: """
            Draws a random key for the content, and stores it in a configuration encrypted under \
            the volume's key. Nothing that is there is replaced.
            """
    )

    @Argument(help: "The directory for the encrypted files; empty, or not there yet.")
    var storage: String

    @OptionGroup var selection: VolumeSelection
    @OptionGroup var format: NewVolumeOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let key = try selection.readKey(confirming: true)
        let volume = try selection.open(storage, .writing, key, .required(format.volume(for: key)))
        let report = VolumeReport(volume, storage: storage)
        try json
            ? Output.json(report)
            : Output.line("New volume in \(storage): \(volume.configurationPath)")
    }
}
