public import Synchronization

/// How far a transfer is, for somebody on another thread; and whether it is to stop.
public final class TransferProgress: Sendable {
    /// Bytes of content that are to be written, and as many to be read back; 0 until they are
    /// counted.
    public let totalBytes = Atomic<UInt64>(0)

    /// Bytes written, bytes read back, and those of which neither was needed.
    public let doneBytes = Atomic<UInt64>(0)

    /// Files that are to be transferred.
    public let totalFiles = Atomic<Int>(0)

    /// Files that are done, or need nothing done.
    public let doneFiles = Atomic<Int>(0)

    private let isStopped = Atomic<Bool>(false)

    /// Begins at nothing.
    public init() {}

    /// Has every thread stop soon; files that are not whole do not get their names.
    public func stop() {
        isStopped.store(true, ordering: .relaxed)
    }

    func checkpoint() throws(TransferFault) {
        if isStopped.load(ordering: .relaxed) { throw .interrupted }
    }

    func add(bytes: UInt64) {
        doneBytes.wrappingAdd(bytes, ordering: .relaxed)
    }
}
