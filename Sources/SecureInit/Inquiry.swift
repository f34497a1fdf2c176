internal import Glibc
internal import Linux

/// A command that asks a running secure-init: `secure-init status`, `secure-init health`.
///
/// It runs in the container, as `docker exec` and `HEALTHCHECK` do; without a shell, a file or a
/// capability.
enum Inquiry: String {
    /// Shows how it is.
    case status
    /// Says whether the command runs and the volume answers.
    case health
    /// Has what has changed in a view in memory stored.
    case sync

    /// Milliseconds after which no answer is one.
    static let patience: Int64 = 5000

    /// The same of one that has something stored: an hour, the most that can be asked for.
    static let storingPatience: Int64 = 3_600_000

    /// Milliseconds that a storage may take to say who writes to it.
    private static let writerPatience: Int64 = 1000

    /// Runs it.
    ///
    /// - Parameter arguments: What follows its name.
    func main(_ arguments: [String]) -> Never {
        do throws(InquiryError) {
            let options = try InquiryOptions(parsing: arguments, of: self)
            if options.showsHelp {
                Self.show(InquiryOptions.help)
                CurrentProcess.exit(0)
            }
            switch self {
            case .status: try showStatus(options)
            case .health: try showHealth(options)
            case .sync: try sync(options)
            }
            CurrentProcess.exit(0)
        } catch {
            switch self {
            case .status, .sync:
                Self.show("secure-init: \(error)\n", on: STDERR_FILENO)
                CurrentProcess.exit(error.exitCode)
            case .health:
                // What a health check says, on either stream, is what the engine shows.
                Self.show("\(error)\n")
                CurrentProcess.exit(error.isUsage ? error.exitCode : 1)
            }
        }
    }

    private func showStatus(_ options: InquiryOptions) throws(InquiryError) {
        var report = try StatusQuestion(patience: options.patience).ask()
        if let storage = report.volume?.storage {
            report.volume?.writer = VolumeProbe(storage).writer(patience: Self.writerPatience)
        }
        Self.show((options.asJSON ? report.json : report.text) + "\n")
    }

    private func sync(_ options: InquiryOptions) throws(InquiryError) {
        let answer = try StatusQuestion(patience: options.patience).sync()
        guard answer.isDone else { throw .notStored(answer.text) }
        Self.show("\(StatusReport.shown(answer.text))\n")
    }

    private func showHealth(_ options: InquiryOptions) throws(InquiryError) {
        let began = Instant.now
        let report = try StatusQuestion(patience: options.patience).ask()
        guard report.phase == .running, let pid = report.command.pid else {
            throw .notRunning(report)
        }
        var line = "\(report.command.name.map { StatusReport.shown($0) } ?? "the command") runs"
        line += ", pid \(pid)"
        if let volume = report.volume, volume.view != "memory" {
            let left = options.patience - Instant.now.milliseconds(since: began)
            let taken = try VolumeProbe(volume.mountPoint).run(patience: max(left, 1))
            line += "; \(StatusReport.shown(volume.mountPoint)) answered after \(taken) ms"
        }
        Self.show(line + "\n")
    }

    private static func show(_ text: String, on descriptor: Int32 = STDOUT_FILENO) {
        var text = text
        text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
    }
}

/// What may follow the name of an inquiry.
struct InquiryOptions {
    /// One line of JSON instead of some for a person.
    private(set) var asJSON = false
    private(set) var showsHelp = false
    /// Milliseconds after which no answer is one.
    private(set) var patience: Int64

    static let help = """
        Usage: secure-init status [--json] [--timeout D]
               secure-init health [--timeout D]
               secure-init sync [--timeout D]

        Asks the secure-init that runs in this container, from docker exec or HEALTHCHECK.
        status, for root only, shows phase, key, volume, command and the last error.
        health succeeds when the command runs and the volume answers a read within D (5s).
        sync, with --view memory --write-back, has what has changed stored, and waits for
        that, an hour at most.
        A command of that name is run by: secure-init -- status

        Exit codes of status: 0 answered, 64 usage, 69 none is running or it does not
        answer, 77 not permitted. Of sync: the same,
        and 74 when not all could be stored. Of health: 0 healthy, 1 not, and one line why.

        """

    /// Reads them.
    init(parsing arguments: [String], of inquiry: Inquiry) throws(InquiryError) {
        patience = inquiry == .sync ? Inquiry.storingPatience : Inquiry.patience
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" {
                showsHelp = true
            } else if argument == "--json", inquiry == .status {
                asJSON = true
            } else if argument == "--timeout" || argument.hasPrefix("--timeout=") {
                let text =
                    argument == "--timeout" ? rest.popFirst() : String(argument.dropFirst(10))
                guard let milliseconds = text.flatMap(TextDuration.milliseconds(parsing:)),
                    (1...3_600_000).contains(milliseconds)
                else { throw .usage("--timeout wants a time such as 5s, an hour at most") }
                patience = milliseconds
            } else {
                throw .usage(
                    "secure-init \(inquiry.rawValue) knows no '\(StatusReport.shown(argument))': see "
                        + "--help; a command of that name is run by: secure-init -- "
                        + "\(inquiry.rawValue)"
                )
            }
        }
    }
}
