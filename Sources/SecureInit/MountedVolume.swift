internal import CryptFS
internal import Linux

/// The volume as the supervisor sees it: the worker that serves it, and where it is seen.
final class MountedVolume {
    /// Where the volume is seen.
    enum Place {
        /// There it is mounted.
        case mount(MountPoint)
        /// There the worker decrypts it; and this is how it is told to end.
        case memory(ViewOrders)
    }

    /// How far the worker is.
    enum Progress {
        /// It opens the volume.
        case starting
        /// The volume is open, and can be mounted.
        case opened
        /// The mount answers.
        case ready
    }

    /// The worker.
    let process: HelperProcess

    /// Where the volume is seen.
    let place: Place

    /// How far the worker is.
    var progress = Progress.starting

    /// Its format, once it is open.
    var format: String?

    /// Whether there is a mount to be undone.
    var isMounted = false

    /// What the worker said was wrong.
    var failure: InitError?

    /// Whether the log says already that the volume is lost.
    var isLossReported = false

    /// Whether its end is wanted.
    var isClosing = false

    init(_ process: HelperProcess, at place: Place) {
        self.process = process
        self.place = place
    }

    /// What has to stay open in this process.
    var descriptors: [Int32] {
        switch place {
        case .mount(let mountPoint): process.descriptors + [mountPoint.descriptor]
        case .memory(let orders): process.descriptors + [orders.descriptor]
        }
    }

    /// What was wrong with the worker's end; nil while it lives, or where it ended as it should.
    var fault: InitError? {
        if let failure { return failure }
        guard let end = process.end, end.outcome != .exited(0) else { return nil }
        if case .killed(let signal) = end.outcome {
            return .volume(.inputOutput, "the volume's process was killed by \(signal)")
        }
        return .volume(.inputOutput, "the volume's process ended with \(end.exitCode)")
    }

    /// Why there is no volume any more; nil while there is, or its end is wanted.
    var loss: InitError? {
        guard !isClosing, process.end != nil || failure != nil else { return nil }
        return fault ?? .volume(.inputOutput, "the volume's process ended")
    }
}
