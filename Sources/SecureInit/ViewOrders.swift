internal import Linux

/// What the supervisor tells the process that shows a volume in memory: one byte each, over a pipe.
enum ViewOrder: UInt8 {
    /// Store what has changed.
    case store = 1
    /// Store what has changed, where that is wanted, wipe everything, and end.
    case finish = 2
    /// Wipe everything, and end.
    case discard = 3
}

/// The supervisor's end.
final class ViewOrders {
    private let output: OwnedDescriptor

    /// - Parameter output: A pipe's end; an order always has room in it.
    init(_ output: consuming OwnedDescriptor) {
        self.output = output
    }

    /// What has to stay open in this process.
    var descriptor: Int32 { output.rawValue }

    /// Gives an order; one that nobody is there to take is told by the process's end.
    func give(_ order: ViewOrder) {
        withUnsafeBytes(of: order.rawValue) { _ = try? output.writeAvailable($0) }
    }
}

/// The process's end.
struct ViewOrderReader: ~Copyable {
    private let input: OwnedDescriptor

    init(_ input: consuming OwnedDescriptor) {
        self.input = input
    }

    /// Whether there is an order, or nobody to give one any more.
    var isWaiting: Bool { (try? Readiness.isReadable(input.rawValue)) ?? true }

    /// Waits for the next; nil when the supervisor is gone.
    borrowing func next() -> ViewOrder? {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
            guard (try? input.readAvailable(into: byte)) == 1 else { return nil }
            return ViewOrder(rawValue: byte[0])
        }
    }
}
