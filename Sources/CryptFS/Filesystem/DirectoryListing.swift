internal import Linux
internal import Synchronization

/// An open directory that is being listed, with the records that did not fit the last answer.
final class DirectoryListing<Format: StorageFormat>: @unchecked Sendable {
    // Unchecked: the buffer is under the lock, the rest constant.

    /// Whose names these are.
    let directory: Format.Directory

    private let held: HeldDirectory
    private let lock = Mutex(())
    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    /// Where the record at `start` is; nil before the first reading.
    private var position: UInt64?

    /// What the kernel gives at a time: enough for some 300 names.
    private static var bufferCount: Int { 32 << 10 }

    init(_ directory: Format.Directory, _ held: HeldDirectory) {
        self.directory = directory
        self.held = held
        buffer = .allocate(byteCount: Self.bufferCount, alignment: 8)
    }

    deinit {
        buffer.deallocate()
    }

    /// The directory, open for listing.
    var descriptor: OwnedDescriptor { _read { yield held.descriptor } }

    /// Gives the records from a position on to `body`, until it has enough.
    ///
    /// - Parameters:
    ///   - position: 0, or a record's ``DirectoryRecord/next``, of this listing or an earlier one.
    ///   - body: Returns false when it did not take a record; that one comes first the next time.
    /// - Throws: What the kernel or `body` failed with.
    func read(
        from position: UInt64,
        _ body: (DirectoryRecord) throws(Errno) -> Bool
    ) throws(Errno) {
        try lock.withLock { _ throws(Errno) in
            if self.position != position {
                try FileCall.seek(descriptor.rawValue, to: position)
                start = 0
                end = 0
            }
            while true {
                if start == end {
                    start = 0
                    end = 0
                    end = try FileCall.list(descriptor.rawValue, into: buffer)
                    if end == 0 {
                        // Stays at the end until it is asked for elsewhere.
                        return
                    }
                }
                let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
                guard let record = DirectoryRecord(rest) else { throw .inputOutput }
                guard try body(record) else { return }
                start += record.count
                self.position = record.next
            }
        }
    }
}

/// A directory open for listing.
final class HeldDirectory: Sendable {
    let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }
}
