internal import Cryptography
internal import Linux

/// A process of ours that does what the supervisor must not: the same executable, started afresh.
///
/// It gets its job over one pipe and answers over another; nothing else is inherited, and its
/// environment is empty.
final class HelperProcess {
    /// Which helper, as its private first argument says.
    enum Role: String {
        /// Fetches the key over the network.
        case fetcher = "--secure-init-fetcher"
        /// Serves the volume.
        case worker = "--secure-init-worker"
        /// Detaches what is mounted, should the supervisor be killed.
        case guardian = "--secure-init-guardian"

        /// Whether it is there for what comes after the supervisor.
        var outlivesSupervisor: Bool { self == .guardian }
    }

    /// The descriptors a helper finds.
    enum Inherited {
        /// The job, to be read to its end; the guardian's ends with the supervisor.
        static let job: Int32 = 3
        /// Where frames go.
        static let frames: Int32 = 4
        /// What it works on: the worker's `/dev/fuse`, or a directory for a guardian.
        static let object: Int32 = 5
    }

    /// Who a helper is and what it may do.
    struct Rights {
        var identity: ProcessStart.Identity?
        var capabilities: ProcessStart.Capabilities?
        var noNewPrivileges = true
        var ignoredSignals: SignalSet = []

        /// Those of a helper that is there until the end: some capabilities of ours, and deaf to what
        /// asks to end.
        ///
        /// - Throws: ``Errno``, of `capget`.
        static func lasting(_ capabilities: CapabilitySet) throws(Errno) -> Rights {
            let own = try ProcessCapabilities()
            // Of a container without any, none.
            let kept = capabilities.intersection(own.permitted)
            var rights = Rights()
            rights.capabilities = ProcessStart.Capabilities(
                bounding: own.effective.contains(.setCapabilities) ? kept : .all,
                permitted: kept,
                inheritable: [],
                ambient: []
            )
            rights.ignoredSignals = WorkerProcess.ignoredSignals
            return rights
        }
    }

    /// The process id.
    let pid: Int32

    /// How it ended, once it did.
    var end: ChildEnd?

    private let started: StartedProcess
    private var frames: FrameReader
    private var job: PendingJob?
    /// Kept open as long as we live, where that is what the helper has to know.
    private var lifeline: OwnedDescriptor?

    /// Starts a helper.
    ///
    /// - Parameters:
    ///   - role: Which.
    ///   - rights: Who it is.
    ///   - job: What it shall do; written as the pipe takes it, wiped when written.
    ///   - object: A descriptor for it to inherit.
    ///   - maximumPayloadCount: The longest answer it has reason to give.
    /// - Throws: `Errno` of `pipe` or `fork`.
    init(
        _ role: Role,
        rights: Rights,
        job: SecretBytes,
        object: Int32?,
        maximumPayloadCount: Int
    ) throws(Errno) {
        let (jobRead, jobWrite) = try Pipe().ends()
        let jobInput = OwnedDescriptor(takingOwnershipOf: jobRead)
        let jobOutput = OwnedDescriptor(takingOwnershipOf: jobWrite)
        let (frameRead, frameWrite) = try Pipe().ends()
        let frameInput = OwnedDescriptor(takingOwnershipOf: frameRead)
        let frameOutput = OwnedDescriptor(takingOwnershipOf: frameWrite)
        try jobOutput.setNonblocking()
        try frameInput.setNonblocking()

        lifeline = role.outlivesSupervisor ? try jobOutput.duplicate() : nil

        let environment = CStringArray([])
        // Where /proc is not mounted, the path the kernel was given is the next best.
        var start = ProcessStart(
            candidates: ["/proc/self/exe"] + (InitialMemory.executablePath.map { [$0] } ?? []),
            arguments: CStringArray(["secure-init", role.rawValue]),
            environment: environment.pointer
        )
        start.descriptors = [
            (Inherited.job, jobInput.rawValue), (Inherited.frames, frameOutput.rawValue),
        ]
        if let object { start.descriptors.append((Inherited.object, object)) }
        start.isolatesDescriptors = true
        start.grouping = .session
        start.identity = rights.identity
        start.capabilities = rights.capabilities
        start.noNewPrivileges = rights.noNewPrivileges
        start.isHidden = true
        start.ignoredSignals = rights.ignoredSignals
        start.coreLimit = CoreLimit.none
        start.parentDeathSignal = role.outlivesSupervisor ? nil : .kill
        started = try start.start()
        withExtendedLifetime(environment) {}
        pid = started.pid
        frames = FrameReader(frameInput, maximumPayloadCount: maximumPayloadCount)
        self.job = PendingJob(job, to: jobOutput)
    }

    /// How its exec went; asked again while it is pending.
    private(set) var outcome = StartedProcess.Report.pending

    /// How its exec went by now.
    var report: StartedProcess.Report {
        if outcome == .pending { outcome = started.report() }
        return outcome
    }

    /// Readable once the exec went one way or the other.
    var reportDescriptor: Int32 { started.descriptor.rawValue }

    /// The descriptors that connect us to it.
    var descriptors: [Int32] {
        var descriptors = [frames.descriptor.rawValue, started.descriptor.rawValue]
        if let descriptor = job?.descriptor { descriptors.append(descriptor) }
        if let descriptor = lifeline?.rawValue { descriptors.append(descriptor) }
        return descriptors
    }

    /// Whether it may still say something.
    private(set) var isListening = true

    /// Puts what it may have to say, or to hear, on the list.
    func register(in waits: inout WaitList) {
        guard isListening else { return }
        waits.add(frames.descriptor.rawValue, .readable)
        if let descriptor = job?.descriptor { waits.add(descriptor, .writable) }
    }

    /// Goes on with writing the job, and hands over what it said.
    ///
    /// One that sends what is no frame is ended: it is broken, or somebody else's by now.
    func listen(_ body: (Frame.Kind, UnsafeRawBufferPointer) -> Void) {
        guard isListening else { return }
        if job?.write() ?? false { job = nil }
        switch frames.drain(body) {
        case .open: return
        case .closed: break
        case .malformed: kill()
        }
        isListening = false
    }

    /// Ends it at once.
    func kill() {
        guard end == nil else { return }
        try? ProcessTable.send(.kill, to: pid)
    }
}

/// A job on its way through a pipe that may be smaller than it.
private struct PendingJob: ~Copyable {
    private let bytes: SecretBytes
    private let output: OwnedDescriptor
    private var written = 0

    init(_ bytes: SecretBytes, to output: consuming OwnedDescriptor) {
        self.bytes = bytes
        self.output = output
    }

    var descriptor: Int32 { output.rawValue }

    /// Writes what the pipe takes; true when there is nothing left to write, or nobody to read.
    mutating func write() -> Bool {
        while written < bytes.count {
            do throws(Errno) {
                let start = written
                let count = try bytes.withUnsafeBytes { bytes throws(Errno) in
                    try output.writeAvailable(UnsafeRawBufferPointer(rebasing: bytes[start...]))
                }
                guard let count else { return false }
                written += count
            } catch {
                return true
            }
        }
        return true
    }
}
