internal import Linux
internal import Synchronization

/// An open directory, and once it is being listed, the records that did not fit the last answer.
final class DirectoryListing<Format: StorageFormat>: @unchecked Sendable {
    // Unchecked: the directory is constant, the rest under the lock.

    /// Whose names these are.
    let directory: Format.Directory

    private let lock = Mutex(())

    /// Open for listing; nil until that is asked for, since many open a directory only to have the place.
    private var held: HeldDirectory?

    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var start = 0
    private var end = 0

    /// Where the record at `start` is; nil before the first reading.
    private var position: UInt64?

    /// What the kernel gives at a time: enough for some 300 names.
    private static var bufferCount: Int { 32 << 10 }

    init(_ directory: Format.Directory) {
        self.directory = directory
    }

    deinit {
        buffer.deallocate()
    }

    /// Waits until the directory is on the disk.
    func synchronize() throws(Errno) {
        let held = try lock.withLock { _ throws(Errno) in try open() }
        try FileCall.synchronize(held.descriptor.rawValue)
    }

    /// The directory, open for listing; under the lock.
    private func open() throws(Errno) -> HeldDirectory {
        if let held { return held }
        // What is held otherwise is the place only, which cannot be listed.
        let descriptor = try FileCall.reopen(
            directory: directory.descriptor.rawValue,
            [.readOnly, .directory]
        )
        let opened = HeldDirectory(descriptor)
        held = opened
        return opened
    }

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
            let held = try open()
            if buffer.baseAddress == nil {
                buffer = .allocate(byteCount: Self.bufferCount, alignment: 8)
            }
            if self.position != position {
                try FileCall.seek(held.descriptor.rawValue, to: position)
                start = 0
                end = 0
            }
            while true {
                if start == end {
                    start = 0
                    end = 0
                    end = try FileCall.list(held.descriptor.rawValue, into: buffer)
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
