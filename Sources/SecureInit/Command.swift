internal import Linux

/// The command, from its start to its end.
final class Command {
    /// Its process id, and its process group's.
    let pid: Int32

    /// When it was started.
    let began = Instant.now

    /// How it ended, once it did.
    var end: ChildEnd?

    /// Why it could not be executed.
    var failure: StartedProcess.Failure?

    private var started: StartedProcess?

    init(_ started: consuming StartedProcess) {
        pid = started.pid
        self.started = consume started
    }

    /// Readable once its exec went one way or the other; nil when that is known.
    var reportDescriptor: Int32? {
        if let descriptor = started?.descriptor.rawValue { descriptor } else { nil }
    }

    /// Asks how its exec went; true when that is known.
    func learnReport() -> Bool {
        switch started?.report() {
        case .pending: return false
        case .failed(let failure): self.failure = failure
        case .executed, nil: break
        }
        started = nil
        return true
    }
}

extension ProcessStart {
    /// Capabilities the command does not get from us: with the first it could take the mount away
    /// or put another over it, with the second read the keys out of our memory, and with the others,
    /// which were part of the first, look into other processes.
    static let wrapperCapabilities: CapabilitySet = [
        .administer, .trace, .monitorPerformance, .loadFilters, .checkpoint,
    ]
}
