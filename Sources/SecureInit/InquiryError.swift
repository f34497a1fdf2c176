internal import Linux

/// Why an inquiry has no good answer.
enum InquiryError: Error {
    /// What follows its name is wrong.
    case usage(String)
    /// No secure-init listens in this pid and network namespace.
    case nobody
    /// It does not answer who asks.
    case notPermitted(user: UInt32)
    /// It did not answer in time.
    case silent
    /// Not all that has changed could be stored.
    case notStored(String)
    /// What answered is not secure-init.
    case impostor
    /// The system does not let us ask.
    case system(String, Errno)

    /// The command does not run.
    case notRunning(StatusReport)
    /// The volume does not answer in time.
    case volumeSilent(path: String, milliseconds: Int64)
    /// An earlier check still waits for the volume.
    case volumeStuck(path: String, pid: Int32)
    /// The volume answers with an error, or is not there.
    case volumeFailed(path: String, String)

    /// What `secure-init status` ends with.
    var exitCode: Int32 {
        switch self {
        case .usage: ExitCode.usage.rawValue
        case .nobody, .silent, .impostor: ExitCode.unavailable.rawValue
        case .notPermitted: ExitCode.refused.rawValue
        case .system: ExitCode.system.rawValue
        case .notStored: ExitCode.inputOutput.rawValue
        case .notRunning, .volumeSilent, .volumeStuck, .volumeFailed: 1
        }
    }

    /// Whether the question itself was wrong.
    var isUsage: Bool {
        if case .usage = self { true } else { false }
    }
}

extension InquiryError: CustomStringConvertible {
    /// One line for a person.
    var description: String {
        switch self {
        case .usage(let message):
            message
        case .nobody:
            "no secure-init to ask in this container: run this with docker exec, in its pid and "
                + "network namespace"
        case .notPermitted(let user):
            "secure-init answers root only, and this is user \(user): docker exec --user 0"
        case .silent:
            "secure-init does not answer in time"
        case .notStored(let text):
            StatusReport.shown(text)
        case .impostor:
            "what answers is not secure-init: a process of this network took its place"
        case .system(let operation, let errno):
            "\(operation): \(errno)"
        case .notRunning(let report):
            "the command does not run: \(report.phase.rawValue) for "
                + StatusReport.span(report.age)
                + (report.wait?.cause.map { ": \(StatusReport.shown($0))" } ?? "")
        case .volumeSilent(let path, let milliseconds):
            "the volume at \(StatusReport.shown(path)) does not answer within \(milliseconds) ms"
        case .volumeStuck(let path, let pid):
            "the volume at \(StatusReport.shown(path)) does not answer: process \(pid) of an earlier "
                + "check still waits for it"
        case .volumeFailed(let path, let reason):
            "the volume at \(StatusReport.shown(path)) \(StatusReport.shown(reason))"
        }
    }
}
