internal import Cryptography
internal import KeyProtocol
internal import KeySources
internal import Linux

/// Process 1: one thread, one place to sleep.
///
/// Everything it does is a straight line of phases; whatever it waits for in a phase, it waits in
/// ``turn(until:also:)``, which also takes signals, reaps children and listens to its helpers.
final class Supervisor {
    let settings: Settings
    let plan: CommandPlan
    let signals: SignalQueue

    /// How far it is.
    var phase = Phase.starting {
        didSet {
            log.phase = phase
            phaseBegan = .now
        }
    }
    private(set) var phaseBegan = Instant.now
    private(set) var log: Log
    /// What secure-init was started with; nil once the variables are decrypted.
    var environment: InheritedEnvironment?
    /// What the command gets; nil once it has it.
    var commandEnvironment: CommandEnvironment?
    var command: Command?
    var fetch: Fetch?
    var keyWait = KeyWait()
    /// What the key server was asked, as long as it may have to be asked for more; nil where there
    /// is none.
    var fetchJob: FetchJob?
    /// Of the generated keys that have arrived.
    var keyIDs: [String] = []
    var volume: MountedVolume?
    /// What the command gets as files; nil where there are none.
    var secretFiles: SecretFiles?
    /// One for each mount, where one is of use.
    var guardians: [Guardian] = []

    /// The first signal that asked to end before the command was started.
    var interruption: Signal?
    /// Whether the rest of the grace is to be skipped.
    var isHurried = false

    /// Remembers what went wrong last.
    let memory = LogMemory()
    /// Where status is asked for; nil where nobody can ask.
    let statusSocket = StatusSocket()
    /// Where it is asked for changes in a view to be stored; not listening where there is none.
    let syncSocket = SyncSocket()

    /// Where it was started; it leaves that directory once the command runs.
    private let directory = CurrentProcess.directory

    private var waits = WaitList()

    init(
        settings: Settings,
        plan: CommandPlan,
        signals: consuming SignalQueue,
        environment: InheritedEnvironment
    ) {
        self.settings = settings
        log = settings.log
        log.memory = memory
        self.plan = plan
        self.signals = signals
        self.environment = environment
    }

    /// Lives the life of the container.
    ///
    /// - Returns: The status to end with.
    func run() -> Int32 {
        let status: Int32
        listenForStatus()
        do throws(InitError) {
            try boot()
            status = superviseCommand()
        } catch {
            report(error)
            status = settings.exitCode(error)
        }
        phase = .stopping
        endFetch()
        endLeftovers()
        secretFiles?.close()
        let isClean = closeVolume()
        dismissGuardians()
        return isClean || status != 0 ? status : ExitCode.inputOutput.rawValue
    }

    /// Starts the command.
    ///
    /// A function of its own, so that keys and variables are let go of, and with that wiped, when
    /// it returns.
    private func boot() throws(InitError) {
        var keys = try obtainKeys()
        try decryptVariables(with: &keys)
        try openVolume(with: keys)
        fetchJob = nil
        try startCommand()
    }

    private func report(_ error: InitError) {
        if case .interrupted(let signal) = error {
            log.info(
                "stopped before the command was started",
                ["exit": .number(Int64(settings.exitCode(error))), "signal": .text("\(signal)")]
            )
        } else {
            log.error("\(error)", ["exit": .number(Int64(settings.exitCode(error)))])
        }
    }
}

extension Supervisor {
    /// Sleeps until something happens, and sees to what is always to be seen to.
    ///
    /// - Parameters:
    ///   - deadline: When to return even if nothing happens; nil for never.
    ///   - descriptor: One more to wake up for when there is something to read.
    func turn(until deadline: Instant?, also descriptor: Int32? = nil) {
        waits.removeAll()
        waits.add(signals.descriptor.rawValue, .readable)
        if let descriptor { waits.add(descriptor, .readable) }
        fetch?.process?.register(in: &waits)
        volume?.process.register(in: &waits)
        for guardian in guardians { guardian.process.register(in: &waits) }
        statusSocket.register(in: &waits)
        syncSocket.register(in: &waits)
        // Fails only for want of memory, which may be there at the next turn.
        try? waits.wait(until: deadline)
        takeSignals()
        listenToFetcher()
        listenToWorker()
        attendToGuardians()
        if let descriptor = statusSocket.descriptor, isReady(descriptor) { answerStatus() }
        if let descriptor = syncSocket.descriptor, isReady(descriptor) { takeSync() }
    }

    /// A turn of the phases before the command.
    ///
    /// - Throws: ``InitError/interrupted(_:)`` once a signal asked to end.
    func bootTurn(until deadline: Instant?, also descriptor: Int32? = nil) throws(InitError) {
        turn(until: deadline, also: descriptor)
        if let interruption { throw .interrupted(interruption) }
    }

    /// A path as it was given, for whoever is in another directory.
    func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory else { return path }
        return "\(directory)/\(path)"
    }

    /// Whether the last turn found the descriptor ready.
    func isReady(_ descriptor: Int32) -> Bool { waits.isReady(descriptor) }

    private func takeSignals() {
        guard waits.isReady(signals.descriptor.rawValue) else { return }
        var childrenEnded = false
        try? signals.drain { delivery in
            if delivery.signal == .child {
                childrenEnded = true
            } else if delivery.signal != .brokenPipe || delivery.sender != CurrentProcess.id {
                // A broken pipe of our own is known from the write that failed.
                take(delivery.signal)
            }
        }
        if childrenEnded { reap() }
    }

    private func take(_ signal: Signal) {
        switch phase {
        case .running:
            forward(signal)
        case .startingCommand where command != nil:
            forward(signal)
        case .stopping, .unmounting:
            if signal.asksToEnd { isHurried = true }
        case .starting, .waitingForKey, .decrypting, .openingVolume, .startingCommand:
            if signal.asksToEnd, interruption == nil { interruption = signal }
        }
    }

    /// Takes every child that has ended; nothing here allocates.
    private func reap() {
        while let end = Reaper.next(includingStopped: true) {
            if end.pid == command?.pid {
                commandChanged(end)
            } else if case .stopped = end.outcome {
                wake(end.pid)
            } else if end.pid == fetch?.process?.pid {
                fetch?.process?.end = end
            } else if end.pid == volume?.process.pid {
                volume?.process.end = end
            } else if let guardian = guardians.first(where: { $0.process.pid == end.pid }) {
                guardian.process.end = end
            } else if settings.warnsOnReap {
                log.warning("reaped an orphan", ["pid": .number(Int64(end.pid))])
            }
        }
    }

    /// Who stops the worker would have everybody who uses the view wait for ever, and the unmount at
    /// the end with them; who stops a guardian, the mount stay.
    private func wake(_ pid: Int32) {
        guard
            pid == volume?.process.pid || pid == fetch?.process?.pid
                || guardians.contains(where: { $0.process.pid == pid })
        else { return }
        try? ProcessTable.send(.continue, to: pid)
    }
}

extension Signal {
    /// Whether a container's engine, or a terminal, asks to end with it.
    var asksToEnd: Bool {
        self == .terminate || self == .interrupt || self == .quit || self == .hangup
    }
}
