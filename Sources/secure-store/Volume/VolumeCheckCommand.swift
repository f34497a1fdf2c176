internal import ArgumentParser
internal import VolumeTransfer

/// `secure-store volume check`.
struct VolumeCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Reads everything of a volume, and lists what is damaged.",
        discussion: """
            Every name, every block, links, and in gocryptfs's format long names, directories' \
            bytes and attributes. Changes nothing but what --zero names. Ends with 26 where anything is damaged, as \
            gocryptfs -fsck does. What a killed writer was in the middle of counts as damaged until \
            the volume was mounted for writing, which completes it: where that may be, a line says so.

            A loss of power can damage the block that was being written. SQLite does not open a database \
            with such a block, although its journal has what is needed: with zeros over the damaged \
            blocks of all its files (--zero app.db --zero app.db-wal) it recovers. PostgreSQL does not in \
            all cases: restore a backup. What was in the blocks is lost; copy the storage before.
            """
    )

    @Argument(help: "The directory with the encrypted files.")
    var storage: String

    @Option(
        help: ArgumentHelp(
            "Write zeros over the damaged blocks of this file, or of all files in this folder (. is the "
                + "topmost). Of gocryptfs's format; may be repeated.",
            valueName: "path"
        )
    )
    var zero: [String] = []

    @OptionGroup var selection: VolumeSelection
    @OptionGroup var transfer: TransferOptions

    func run() async throws {
        let volume = try selection.open(storage, zero.isEmpty ? .reading : .writing)
        let zeroing = zero.map { VolumePath.segments($0) }
        let mayBeCompleted = volume.followsInterruptedWriter
        try await transfer.run { progress, width throws(TransferError) in
            try await VolumeCheck(of: volume, width: width, zeroing: zeroing, progress: progress)
                .run()
        } telling: { report in
            try tell(CheckSummary(report, mayBeCompleted: mayBeCompleted))
            return report.failures.isEmpty && report.foreign.isEmpty ? nil : .damaged
        }
    }

    private func tell(_ summary: CheckSummary) throws {
        guard !transfer.json else { return try Output.json(summary) }
        for damage in summary.damaged {
            try Output.line("damaged: \(ShownPath.text(damage.path)): \(damage.error)")
        }
        for entry in summary.undecodable {
            try Output.line("damaged name: \(ShownPath.text(entry.path)): \(entry.error)")
        }
        guard !transfer.quiet else { return }
        let found = summary.damaged.count + summary.undecodable.count
        try Output.line(
            "\(summary.files) files (\(ByteCount.text(summary.bytes))), \(summary.links) links, "
                + "\(summary.directories) folders sound; "
                + (found == 0 ? "nothing damaged" : "\(found) DAMAGED")
        )
        guard summary.mayBeCompleted else { return }
        try Output.line(
            "A process that wrote here was killed. Mount the volume for writing, read what is damaged, "
                + "which completes what was being written, and check again."
        )
    }
}

/// What `--json` prints.
private struct CheckSummary: Encodable {
    struct Damage: Encodable {
        var path: String
        var error: String

        /// Whether zeros are in its place.
        var zeroed = false
    }

    var files: Int
    var bytes: UInt64
    var links: Int
    var directories: Int
    var damaged: [Damage]
    var undecodable: [Damage]

    /// Whether something of it is what a killed writer was in the middle of.
    var mayBeCompleted: Bool

    private enum CodingKeys: String, CodingKey {
        case files, bytes, links, directories, damaged, undecodable
        case mayBeCompleted = "may_be_completed"
    }

    init(_ report: TransferReport, mayBeCompleted: Bool) {
        files = report.files
        bytes = report.bytes
        links = report.links
        directories = report.directories
        damaged = report.failures.filter { $0.cause != .interrupted }.map {
            Damage(
                path: $0.path.isEmpty ? "." : $0.path,
                error: $0.cause.description,
                zeroed: $0.cause.isZeroed
            )
        }
        .sorted { $0.path < $1.path }
        undecodable = report.foreign.map { Damage(path: $0.path, error: $0.cause) }
            .sorted { $0.path < $1.path }
        self.mayBeCompleted = mayBeCompleted && !damaged.isEmpty
    }
}

extension TransferFault {
    /// Whether it is damage that zeros were written over.
    fileprivate var isZeroed: Bool {
        if case .damagedBlocks(let blocks) = self { return blocks.areZeros }
        return false
    }
}
