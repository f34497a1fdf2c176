/// The blocks of a file that do not authenticate.
public struct DamagedBlocks: Equatable, Sendable {
    /// The first of them, as runs of neighbours, in order; zero-based.
    public private(set) var runs: [ClosedRange<UInt64>] = []

    /// How many there are, listed or not.
    public private(set) var count: UInt64 = 0

    /// Whether zeros were written over them.
    public internal(set) var areZeros = false

    /// More runs than a person reads.
    private static let listedCount = 8

    /// Adds one that comes after all there are.
    mutating func append(_ block: UInt64) {
        count += 1
        if let last = runs.last, last.upperBound + 1 == block {
            runs[runs.count - 1] = last.lowerBound...block
        } else if runs.count < Self.listedCount, listed == count - 1 {
            runs.append(block...block)
        }
    }

    private var listed: UInt64 { runs.reduce(0) { $0 + $1.upperBound - $1.lowerBound + 1 } }
}

extension DamagedBlocks: CustomStringConvertible {
    /// One line for a person: `block 1 does not authenticate`.
    public var description: String {
        let text = runs.map { run in
            run.count == 1 ? "\(run.lowerBound)" : "\(run.lowerBound)-\(run.upperBound)"
        }
        .joined(separator: ", ")
        let others = count > listed ? " and \(count - listed) more" : ""
        if areZeros {
            return (count == 1 ? "block \(text) is" : "blocks \(text)\(others) are")
                + " zeros now: did not authenticate"
        }
        return (count == 1 ? "block \(text) does" : "blocks \(text)\(others) do")
            + " not authenticate: changed since it was encrypted, or another key"
    }
}
