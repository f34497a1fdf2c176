import Testing

@testable import CryptFS

/// When a large file begins to be written to the disk.
struct LargeFileHabitTests {
    private let piece = 1 << 20

    @Test func `a file written from one end to the other is on its way but for its last page`() {
        let habit = LargeFileHabit()
        var begun: [Range<UInt64>] = []
        for index in 0..<32 {
            habit.noteWrite(at: 18 + UInt64(index * piece), count: piece) { begun.append($0) }
        }
        // Nothing of the first 8 MiB, all of them with the next piece.
        #expect(begun.count == 24)
        #expect(begun.first == 0..<UInt64(9 * piece))
        for (former, next) in zip(begun, begun.dropFirst()) {
            #expect(next.lowerBound == former.upperBound)
            #expect(next.upperBound % 4096 == 0)
        }
        #expect(begun.last?.upperBound == UInt64(32 * piece))
    }

    @Test func `pieces that come in another order are all on their way`() {
        let habit = LargeFileHabit()
        var begun: Set<UInt64> = []
        let order = (0..<32).map { $0 ^ 3 }
        for index in order {
            habit.noteWrite(at: UInt64(index * piece), count: piece) { range in
                begun.formUnion(range.lowerBound / UInt64(piece)..<range.upperBound / UInt64(piece))
            }
        }
        #expect(begun == Set(0..<32))
    }

    @Test func `small pieces, and files that are synchronised early, are left to the kernel`() {
        let habit = LargeFileHabit()
        var begun = 0
        for index in 0..<10_000 {
            habit.noteWrite(at: UInt64(index * 4096), count: 4096) { _ in begun += 1 }
        }
        for _ in 0..<10 {
            for index in 0..<8 {
                habit.noteWrite(at: UInt64(index * piece), count: piece) { _ in begun += 1 }
            }
            habit.noteSynchronization()
        }
        #expect(begun == 0)
    }

    @Test func `one thread at a time is kept waiting for the disk`() {
        let habit = LargeFileHabit()
        var (outer, inner) = (0, 0)
        for index in 0..<9 {
            habit.noteWrite(at: UInt64(index * piece), count: piece) { _ in
                outer += 1
                habit.noteWrite(at: UInt64(20 * piece), count: piece) { _ in inner += 1 }
            }
        }
        #expect(outer == 1)
        #expect(inner == 0)
    }
}
