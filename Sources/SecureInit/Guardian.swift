internal import Linux

/// The supervisor's side of the process that takes one mount away, should the supervisor be killed.
final class Guardian {
    /// The process that is, or was the last to be, there for it.
    private(set) var process: HelperProcess

    /// Whether it is the second one.
    private(set) var isReplaced = false

    /// Whether its end calls for nothing any more.
    private(set) var isGivenUp = false

    private let job: GuardianJob

    /// A descriptor of our own, for the next process to find the same directory.
    private let object: OwnedDescriptor

    /// Starts the process.
    ///
    /// - Parameters:
    ///   - job: What it does.
    ///   - object: What it is handed, as the job's charge says.
    /// - Throws: ``Errno``.
    init(_ job: GuardianJob, _ object: Int32) throws(Errno) {
        self.job = job
        self.object = try OwnedDescriptor(duplicating: object)
        process = try Self.start(job, object)
    }

    /// What has to stay open in this process.
    var descriptors: [Int32] { [object.rawValue] + process.descriptors }

    /// Starts another process in place of one that has ended.
    ///
    /// - Throws: ``Errno``.
    func replace() throws(Errno) {
        isReplaced = true
        process = try Self.start(job, object.rawValue)
    }

    /// Lets it be without a process from now on.
    func giveUp() {
        isGivenUp = true
        process.kill()
    }

    private static func start(_ job: GuardianJob, _ object: Int32) throws(Errno) -> HelperProcess {
        try HelperProcess(
            .guardian,
            rights: .lasting(GuardianProcess.capabilities),
            job: job.encoded,
            object: object,
            maximumPayloadCount: Frame.maximumTextCount + 1
        )
    }
}
