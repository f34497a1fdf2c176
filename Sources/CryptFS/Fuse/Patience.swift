/// When to look out for what may come soon, from how that went so far.
///
/// After one that was in vain the next is tried all the same: who writes and synchronises pauses in between.
/// After each further one twice as many occasions are left out, 63 at most.
struct Patience {
    private var misses = 0
    private var leftOut = 0

    private static let mostMisses = 7

    /// Whether to look out on this occasion.
    mutating func isLeft() -> Bool {
        guard leftOut > 0 else { return true }
        leftOut -= 1
        return false
    }

    /// How looking out ended.
    mutating func note(found: Bool) {
        misses = found ? 0 : min(misses + 1, Self.mostMisses)
        leftOut = misses > 1 ? (1 << (misses - 1)) - 1 : 0
    }
}
