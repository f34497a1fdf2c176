internal import KeyProtocol

/// What was decided, and is on disk.
struct ReleaseOutcome: Sendable {
    var decision: ReleaseDecision

    /// The keys of the store that are given out, sealed; the rest are the command line's.
    var keys: [String: [GenerationRecord]] = [:]

    /// What the device's next token says, where half of the time of the one it showed is over.
    var renewal: TokenClaims?
}
