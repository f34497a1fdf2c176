internal import Linux

/// The mounted volume, from the worker's start to its end.
final class Volume {
    /// How far the worker is.
    enum Progress {
        case starting
        case opened
        case ready
    }

    /// The worker.
    let process: HelperProcess

    /// How far it is.
    var progress = Progress.starting

    /// What it said was wrong.
    var failure: InitError?

    /// Whether its pipe is still open.
    var isListening = true

    /// Whether its end is wanted.
    var isClosing = false

    init(_ process: HelperProcess) {
        self.process = process
    }

    /// Why there is no volume any more; nil while there is, or its end is wanted.
    var loss: InitError? {
        guard !isClosing else { return nil }
        if let failure { return failure }
        guard let end = process.end else { return nil }
        if case .killed(let signal) = end.outcome {
            return .volume(.inputOutput, "the volume's process was killed by \(signal)")
        }
        return .volume(.inputOutput, "the volume's process ended with \(end.exitCode)")
    }
}
