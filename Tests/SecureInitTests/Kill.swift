import Foundation
import TestSupport
import Testing

/// One process killed with one signal in one phase of DESIGN's life of the supervisor, and what is
/// documented to come of it.
struct Kill: CustomTestStringConvertible {
    enum Phase: String {
        case starting, waitingForKey, fetching, decrypting, openingVolume, running, stopping
        case unmounting
    }

    enum Target: String {
        case supervisor, fetcher, worker, command, orphan, guardianOfFiles, guardianOfView
    }

    enum Outcome {
        /// secure-init ends with this status.
        case ends(Int32)
        /// It goes on as if nothing had been, and ends with this status when asked to.
        case goesOn(then: Int32)
    }

    let phase: Phase
    let target: Target
    let signal: Int32
    let outcome: Outcome
    /// What exactly one line says, or nil where there is nothing to say, or nobody left to say it.
    let line: String?

    var testDescription: String { "\(target) by \(signal) while \(phase)" }

    /// Every process there is in a phase, with every signal.
    static let all: [Kill] =
        before(.starting) + before(.waitingForKey) + before(.fetching) + before(.decrypting)
        + before(.openingVolume)
        + of(.fetcher, .fetching, [SIGTERM, SIGINT, SIGKILL, SIGSEGV]) { _ in
            (.goesOn(then: 143), "the fetcher ended unexpectedly; starting it again")
        } + worker(.openingVolume, then: 143) { .ends(74) }
        + of(.supervisor, .running) { (.ends(128 + $0), $0 == SIGKILL ? nil : ended) }
        + of(.command, .running) { (.ends(128 + $0), ended) }
        + of(.orphan, .running) { _ in (.goesOn(then: 143), nil) }
        + worker(.running, then: 143) { .ends(74) }
        + of(.supervisor, .stopping) {
            switch $0 {
            case SIGKILL: (.ends(137), nil)
            case SIGSEGV: (.goesOn(then: 9), hurried)
            default: (.ends(9), hurried)
            }
        } + of(.orphan, .stopping) { ($0 == SIGTERM ? .goesOn(then: 9) : .ends(9), ended) }
        + worker(.stopping, then: 9) { .goesOn(then: 9) }
        + of(.supervisor, .unmounting) {
            $0 == SIGKILL ? (.ends(137), nil) : (.goesOn(then: 9), "volume unmounted")
        } + worker(.unmounting, then: 9) { .ends(9) }

    /// The same where secure-init is not process 1, and has guardians; without the phases in which there
    /// is nothing yet to be left behind.
    static let belowAnother =
        all.filter { ![.starting, .waitingForKey, .decrypting].contains($0.phase) }
        + guardians(.openingVolume, [SIGKILL], then: 143)
        + guardians(.running, [SIGTERM, SIGINT, SIGKILL, SIGSEGV], then: 143)
        + guardians(.stopping, [SIGKILL], then: 9)
        + guardians(.unmounting, [SIGKILL], then: 9)

    private static func guardians(
        _ phase: Phase,
        _ signals: [Int32],
        then status: Int32
    ) -> [Kill] {
        [Target.guardianOfFiles, .guardianOfView].flatMap { target in
            of(target, phase, signals) { signal in
                let isDeaf = signal == SIGTERM || signal == SIGINT
                let line = "the guardian ended unexpectedly; starting it again"
                return (.goesOn(then: status), isDeaf ? nil : line)
            }
        }
    }

    private static let ended = "command ended"
    private static let hurried = "killing what did not end in time"

    private static func of(
        _ target: Target,
        _ phase: Phase,
        _ signals: [Int32] = [SIGTERM, SIGINT, SIGKILL, SIGSEGV],
        _ outcome: (Int32) -> (Outcome, String?)
    ) -> [Kill] {
        signals.map { signal in
            let (outcome, line) = outcome(signal)
            return Kill(phase: phase, target: target, signal: signal, outcome: outcome, line: line)
        }
    }

    /// The supervisor before there is a command: TERM and INT stop the start, SEGV is dropped.
    private static func before(_ phase: Phase) -> [Kill] {
        let stopped = "stopped before the command was started"
        return of(.supervisor, phase) {
            switch $0 {
            case SIGKILL: (.ends(137), nil)
            case SIGSEGV: (.goesOn(then: 143), nil)
            default: (.ends(128 + $0), stopped)
            }
        }
    }

    /// The volume's process: TERM and INT are ignored, KILL and SEGV end it, which is said.
    private static func worker(
        _ phase: Phase,
        then status: Int32,
        _ outcome: () -> Outcome
    ) -> [Kill] {
        of(.worker, phase, [SIGTERM, SIGINT]) { _ in (.goesOn(then: status), nil) }
            + [(SIGKILL, "SIGKILL"), (SIGSEGV, "SIGSEGV")].map { signal, name in
                Kill(
                    phase: phase,
                    target: .worker,
                    signal: signal,
                    outcome: outcome(),
                    line: "the volume's process was killed by \(name)"
                )
            }
    }
}
