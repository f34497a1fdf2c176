internal import KeyProtocol
internal import Linux

/// What `secure-init status` shows; nothing in it is a secret.
///
/// As one record on a local socket: name ‖ NUL ‖ value ‖ NUL, for each field that has a value; in
/// UTF-8. Moments are ages in milliseconds: a device's clock may be set meanwhile.
struct StatusReport: Equatable {
    /// What it waits for while there is no key.
    struct Wait: Equatable {
        /// Why the last attempt brought none.
        var cause: String?
        var attempts: Int64 = 0
        /// Milliseconds until the next attempt.
        var next: Int64?
    }

    struct Fetcher: Equatable {
        /// While it lives.
        var pid: Int64?
        /// How often it had to be started again.
        var restarts: Int64 = 0
    }

    struct Volume: Equatable {
        var storage: String
        var mountPoint: String
        /// `mount`, or `memory`.
        var view: String
        /// Once it is open.
        var format: String?
        var isMounted: Bool
        /// The process that serves it.
        var pid: Int64?
        /// Who writes to the storage; not in the record, for who asks looks it up.
        var writer: String?
    }

    struct Command: Equatable {
        /// As it was given, without arguments: those may hold secrets.
        var name: String?
        /// While it lives.
        var pid: Int64?
        /// Milliseconds since it was started.
        var age: Int64?
    }

    struct Problem: Equatable {
        var level: String
        var message: String
        var phase: String
        /// Milliseconds since it was written.
        var age: Int64
    }

    /// Longest text of a field in bytes; what is longer is cut off.
    static let maximumTextCount = 1024

    /// Longest record in bytes.
    static let maximumCount = 32_768

    var version = ProductVersion.text
    var phase = Phase.starting
    /// Milliseconds since the phase began.
    var age: Int64 = 0
    /// The supervisor's.
    var pid: Int64 = 0
    /// Where the key comes from; nil where none is needed.
    var keySource: String?
    /// Of the generated keys that have arrived; a password has none.
    var keyIDs: [String] = []
    var wait: Wait?
    var fetcher: Fetcher?
    var volume: Volume?
    var command = Command()
    var lastError: Problem?
}

extension StatusReport {
    /// Who may see how much.
    enum Reader {
        /// Root of this container.
        case root
        /// The user secure-init itself runs as, where that is not root: a container's health check
        /// runs as it.
        case ownUser

        /// - Returns: Nil for who is not to see anything: others, and root of another container that
        ///   shares the network.
        init?(_ peer: PeerCredentials) {
            guard peer.process > 0 else { return nil }
            if peer.user == 0 {
                self = .root
            } else if peer.user == CurrentProcess.effectiveUser {
                self = .ownUser
            } else {
                return nil
            }
        }
    }

    /// What a reader is told.
    func redacted(for reader: Reader) -> StatusReport {
        if case .root = reader { return self }
        var report = StatusReport()
        report.phase = phase
        report.age = age
        report.pid = pid
        report.command = Command(pid: command.pid, age: command.age)
        return report
    }
}
