internal import Synchronization

/// How far the server has come.
enum ServerPhase: Int {
    case starting, serving, stopping
}

/// The phase, for whoever asks.
final class Readiness: Sendable {
    private let number = Atomic(ServerPhase.starting.rawValue)

    var phase: ServerPhase {
        get { ServerPhase(rawValue: number.load(ordering: .acquiring)) ?? .stopping }
        set { number.store(newValue.rawValue, ordering: .releasing) }
    }

    /// From starting to serving; not from stopping.
    func serve() {
        _ = number.compareExchange(
            expected: ServerPhase.starting.rawValue,
            desired: ServerPhase.serving.rawValue,
            ordering: .acquiringAndReleasing
        )
    }
}
