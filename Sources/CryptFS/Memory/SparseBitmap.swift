/// A set of indices that are mostly neighbours, or few: blocks of a file, which may have large
/// holes.
struct SparseBitmap {
    private var words: [UInt64: UInt64] = [:]

    /// Whether nothing is in the set.
    var isEmpty: Bool { words.isEmpty }

    func contains(_ index: UInt64) -> Bool {
        guard let word = words[index >> 6] else { return false }
        return word >> (index & 63) & 1 == 1
    }

    mutating func insert(_ index: UInt64) {
        words[index >> 6, default: 0] |= 1 << (index & 63)
    }
}
