internal import ArgumentParser
internal import Glibc
internal import VolumeTransfer

/// How files are transferred, and how it is told.
struct TransferOptions: ParsableArguments {
    @Option(help: "How many files at once; by default one for each processor.")
    var parallel: Int?

    @Flag(help: "Show no progress.")
    var quiet = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if let parallel, !(1...256).contains(parallel) {
            throw ValidationError("--parallel must be 1 to 256")
        }
    }

    /// Runs a transfer with a progress bar, and tells what came of it.
    ///
    /// - Throws: ``CommandFailure`` where nothing could be begun, `ExitCode` where not everything
    ///   was transferred.
    func run(
        _ transfer: (TransferProgress, Int) async throws(TransferError) -> TransferReport
    ) async throws {
        try await run(transfer) { report in
            try tell(report)
            return Self.status(report)
        }
    }

    /// Runs what reads a volume with a progress bar, and has somebody tell what came of it.
    ///
    /// - Parameters:
    ///   - body: Gets what to count on and how many files to take at once.
    ///   - telling: Prints it; nil where all went well.
    /// - Throws: ``CommandFailure`` where nothing could be begun, `ExitCode` for a signal, or else
    ///   what `telling` returns.
    func run(
        _ body: (TransferProgress, Int) async throws(TransferError) -> TransferReport,
        telling: (TransferReport) throws -> ExitStatus?
    ) async throws {
        let (progress, width) = (Interruption.watch(), width)
        let report = try await showing(progress) { () throws(TransferError) in
            try await body(progress, width)
        }
        let status = try telling(report)
        if let number = Interruption.number { throw ExitCode(128 + number) }
        if let status { throw ExitCode(status.rawValue) }
    }

    /// How many files at once.
    private var width: Int { parallel ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Runs something with a progress bar.
    ///
    /// - Throws: ``CommandFailure``.
    private func showing(
        _ progress: TransferProgress,
        _ body: () async throws(TransferError) -> TransferReport
    ) async throws -> TransferReport {
        let bar = quiet || isatty(2) == 0 ? nil : ProgressBar.start(progress)
        do throws(TransferError) {
            let report = try await body()
            await bar?.end()
            return report
        } catch {
            await bar?.end()
            throw CommandFailure(error)
        }
    }

    private func tell(_ report: TransferReport) throws {
        for path in report.special {
            Program.report("\(ShownPath.text(path)): left out, neither file nor folder nor link")
        }
        for note in report.foreign {
            Program.report("\(ShownPath.text(note.path)): left out, \(note.cause)")
        }
        for failure in report.failures where failure.cause != .interrupted {
            Program.report("\(ShownPath.text(failure.path)): \(failure.cause)")
        }
        if report.withoutAttributes > 0 {
            Program.report(
                Self.count(report.withoutAttributes, "entry", "entries")
                    + " had extended attributes, which the target cannot keep"
            )
        }
        if report.withoutLinks > 0 {
            Program.report(
                Self.count(report.withoutLinks, "name")
                    + " of files with several became files of their own"
            )
        }
        if report.withoutHoles > 0 {
            Program.report(
                Self.count(report.withoutHoles, "file")
                    + " had holes, which the target cannot keep: zeros are stored instead"
            )
        }
        guard !json else { return try Output.json(TransferSummary(report)) }
        guard !quiet else { return }
        var line = Self.count(report.files, "file") + " (\(ByteCount.text(report.bytes))), "
        line += Self.count(report.links, "link") + ", " + Self.count(report.directories, "folder")
        if report.hardLinks > 0 { line += ", " + Self.count(report.hardLinks, "hard link") }
        line += "; \(report.unchanged) unchanged"
        if !report.failures.isEmpty { line += "; \(report.failures.count) NOT transferred" }
        try Output.line(line)
    }

    private static func count(_ number: Int, _ noun: String, _ nouns: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : nouns ?? noun + "s")"
    }

    /// Damage outweighs what trying again may mend.
    private static func status(_ report: TransferReport) -> ExitStatus? {
        let statuses = report.failures.map { ExitStatus($0.cause) }
        return statuses.contains(.data) ? .data : statuses.first
    }
}

/// What `--json` prints.
private struct TransferSummary: Encodable {
    struct Failure: Encodable {
        var path: String
        var error: String
    }

    var files: Int
    var bytes: UInt64
    var links: Int
    var directories: Int
    var unchanged: Int
    var hardLinks: Int
    var attributesLost: Int
    var linksLost: Int
    var holesLost: Int
    var special: [String]
    var undecodable: [Failure]
    var failed: [Failure]

    private enum CodingKeys: String, CodingKey {
        case files, bytes, links, directories, unchanged
        case hardLinks = "hard_links"
        case attributesLost = "attributes_lost"
        case linksLost = "links_lost"
        case holesLost = "holes_lost"
        case special, undecodable, failed
    }

    init(_ report: TransferReport) {
        files = report.files
        bytes = report.bytes
        links = report.links
        directories = report.directories
        unchanged = report.unchanged
        hardLinks = report.hardLinks
        linksLost = report.withoutLinks
        holesLost = report.withoutHoles
        attributesLost = report.withoutAttributes
        special = report.special
        undecodable = report.foreign.map { Failure(path: $0.path, error: $0.cause) }
        failed = report.failures.map { Failure(path: $0.path, error: $0.cause.description) }
    }
}
