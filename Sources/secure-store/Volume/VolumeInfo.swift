internal import ArgumentParser
internal import CryptFS
internal import VolumeTransfer

/// `secure-store volume info`.
struct VolumeInfo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Says how a volume is made; shows no secret."
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @OptionGroup var selection: VolumeSelection

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let volume = try selection.open(storage, .reading)
        let report = VolumeReport(volume, storage: storage, writer: try holder())
        guard !json else { return try Output.json(report) }
        for (name, value) in report.lines {
            let padding = String(repeating: " ", count: 17 - name.count)
            try Output.line("\(name)\(padding)\(value)")
        }
    }

    private func holder() throws -> WriterLock.Holder {
        do {
            return try WriterLock.holder(of: storage)
        } catch {
            throw CommandFailure(error)
        }
    }
}
