/// What was decided, and is on disk.
struct ReleaseOutcome: Sendable {
    var decision: ReleaseDecision

    /// The keys of the store that are given out, sealed; the rest are the command line's.
    var keys: [String: [GenerationRecord]] = [:]
}
