import Foundation
import Testing

/// An attempt, and what it comes to.
struct Attempt: CustomTestStringConvertible, Sendable {
    /// What the same attempt comes to in the weakened run.
    enum Control: Sendable {
        /// It finds the secret.
        case finds
        /// It gets in; there is no secret to be found.
        case enters
    }

    /// `PROCESS:ATTEMPT`, as the attacker's program takes it.
    let name: String
    let control: Control

    init(_ process: String, _ attempt: String, _ control: Control) {
        name = "\(process):\(attempt)"
        self.control = control
    }

    var testDescription: String { name }

    /// The supervisor, as everybody in the container sees it.
    static let supervisor = "1"
    static let worker = "secure-init-vol"
    static let fetcher = "secure-init-key"
    static let guardian = "secure-init-mnt"

    /// Every way into a process.
    ///
    /// - Parameters:
    ///   - process: Which.
    ///   - memory: Whether its memory holds a secret.
    /// - Returns: An attempt for each.
    static func into(_ process: String, memory: Control) -> [Attempt] {
        [
            Attempt(process, "mem", memory), Attempt(process, "process_vm_readv", memory),
            Attempt(process, "environ", .enters),
        ]
            + [
                "maps", "mem-write", "auxv", "stack", "syscall", "pagemap", "ptrace-attach",
                "ptrace-seize", "fd-list", "fd-open", "pidfd_getfd", "kcmp", "perf_event_open",
                "links",
            ].map { Attempt(process, $0, .enters) }
    }

    /// Every way to take the view away, or to put another in its place; the last one ends it.
    static let mounts = [
        "mount-over", "bind-over", "remount", "fuse-mount", "fsopen", "open_tree", "setns", "bpf",
        "unmount",
    ].map { Attempt("", $0, .enters) }

    /// Expects an attempt to be refused, and the same one to succeed in the weakened run.
    func expectRefusal(_ report: Report, control: Report) throws {
        let refusal = try report.result(of: name)
        #expect(refusal == EPERM || refusal == EACCES, "error \(refusal)")
        let weakened = try control.result(of: name)
        switch self.control {
        case .finds: #expect(weakened == 0, "the control failed with \(weakened)")
        case .enters: #expect(weakened == 0 || weakened == ENODATA, "control: \(weakened)")
        }
    }
}
