internal import KeyServer
internal import KeySources

/// Whether a key server can be reached as a device reaches it.
enum ServerChecks {
    private static let tolerance = 300

    /// Reaches the server, and compares clocks.
    static func run(_ server: ServerAddress, _ credentials: Credentials) -> [Check] {
        do throws(FetchError) {
            let finding = try ServerProbe(server: server, credentials: credentials).run()
            return [.ok("server", "answers, and takes this certificate"), clocks(finding.date)]
        } catch {
            return [.failure("server", "\(error)", fix: fix(for: error))]
        }
    }

    /// Compares the server's clock with ours.
    static func clocks(_ date: String?, now: Timestamp = .now) -> Check {
        guard let date, let theirs = Timestamp(httpDate: date) else {
            return .skipped("clocks", "the server does not tell the time")
        }
        let difference = now.seconds - theirs.seconds
        guard abs(difference) <= tolerance else {
            let direction = difference < 0 ? "behind" : "ahead of"
            return .warning(
                "clocks",
                "this one is \(abs(difference)) s \(direction) the server's",
                fix: "timedatectl set-ntp true, on whichever is wrong"
            )
        }
        return .ok("clocks", "agree within \(tolerance) s")
    }

    private static func fix(for error: FetchError) -> String {
        switch error {
        case .misconfigured: "correct the certificates: secure-store device add NAME --out DIR"
        case .refused: "ask the server's operator; its log says why"
        case .retryable: "check address, port and firewall, and the server's log"
        }
    }
}
