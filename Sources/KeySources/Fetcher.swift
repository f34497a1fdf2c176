public import KeyProtocol

/// Asks a key server for keys.
///
/// Blocks: it belongs into a process of its own, which a signal ends at any moment.
public struct Fetcher: ~Copyable {
    private let job: FetchJob

    /// Prepares a job.
    ///
    /// - Parameter job: What to ask whom for.
    /// - Throws: ``FetchError/misconfigured(message:)`` where the credentials cannot work.
    public init(job: FetchJob) throws(FetchError) {
        self.job = job
    }

    /// Asks once, within time limits.
    ///
    /// - Returns: Every key that was asked for.
    /// - Throws: ``FetchError``.
    public borrowing func attempt() throws(FetchError) -> KeyBundle {
        throw .retryable(cause: "the key server cannot be asked yet")
    }

    /// Asks until the server answers, for ever if need be.
    ///
    /// - Parameter onChangeOfCause: Called with why no keys have come, when that is another reason
    ///   than at the attempt before.
    /// - Returns: Every key that was asked for.
    /// - Throws: ``FetchError/refused(message:)`` or ``FetchError/misconfigured(message:)``.
    public borrowing func run(
        onChangeOfCause: (String) -> Void
    ) throws(FetchError) -> KeyBundle {
        try attempt()
    }
}
