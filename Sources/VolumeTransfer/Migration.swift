internal import Linux

/// Copies a volume into another, of whichever formats.
///
/// The source is only read. What is in the target already with the same size, time and a header that
/// opens is passed over, so running again goes on where a run was stopped; every file is read back
/// and compared before it gets its place.
public struct Migration: Sendable {
    private let source: StoredVolume
    private let target: StoredVolume
    private let width: Int
    private let progress: TransferProgress

    /// - Parameters:
    ///   - source: Opened for reading.
    ///   - target: Opened for writing.
    ///   - width: How many files at once.
    ///   - progress: Watched and stopped from elsewhere.
    public init(
        of source: StoredVolume,
        into target: StoredVolume,
        width: Int,
        progress: TransferProgress = TransferProgress()
    ) {
        self.source = source
        self.target = target
        self.width = width
        self.progress = progress
    }

    /// Copies everything it can.
    ///
    /// - Returns: What was done, and what could not be.
    /// - Throws: ``TransferError`` where nothing could be begun.
    public func run() async throws(TransferError) -> TransferReport {
        try Nesting.check(source.path, storage: target.path)
        let tree = try StoredTree(of: source)
        let state = TransferState(progress)
        state.update {
            $0.special = tree.special
            $0.foreign = tree.foreign
            $0.failures = tree.failures
        }
        let filling = Filling(
            volume: target,
            source: .volume(source),
            state: state,
            width: width
        )
        do throws(Errno) {
            try target.removeDrafts()
        } catch {
            throw .file(path: target.path, .system(error))
        }
        await filling.run(tree.entries)
        return state.report
    }
}
