/// Decisions that wait to be put on disk.
struct AuditBacklog: Equatable, Sendable {
    /// How many.
    var count = 0

    /// For how many seconds the first of them has waited.
    var seconds = 0.0
}
