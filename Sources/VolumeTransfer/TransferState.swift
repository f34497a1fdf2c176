internal import Linux
internal import Synchronization

/// What the threads of a transfer share.
final class TransferState: Sendable {
    let progress: TransferProgress

    private let shared = Mutex(TransferReport())

    init(_ progress: TransferProgress) {
        self.progress = progress
    }

    var report: TransferReport { shared.withLock { $0 } }

    func update(_ change: (inout TransferReport) -> Void) {
        shared.withLock { change(&$0) }
    }

    /// Counts a file as done.
    func finish(_ change: (inout TransferReport) -> Void) {
        update(change)
        progress.doneFiles.wrappingAdd(1, ordering: .relaxed)
    }

    /// Counts a file as done that was there already.
    func passOver(bytes: UInt64) {
        progress.add(bytes: 2 &* bytes)
        finish { $0.unchanged += 1 }
    }

    /// Carries extended attributes over, and counts where that cannot be.
    ///
    /// - Returns: Why not all of them are there; nothing else is lost by that.
    func carry(
        _ attributes: AttributePlace.Content?,
        to target: AttributePlace
    ) -> TransferFault? {
        do throws(TransferFault) {
            _ = try change(target, attributes)
            return nil
        } catch {
            return error
        }
    }

    /// The same for what was there already.
    ///
    /// - Parameters:
    ///   - attributes: What there is to be.
    ///   - target: Where they belong.
    ///   - descriptor: The target, open.
    ///   - status: What its mode and times are to be.
    /// - Throws: ``TransferFault/attributes(_:)``.
    func takeOver(
        _ attributes: AttributePlace.Content?,
        to target: AttributePlace,
        _ descriptor: Int32,
        _ status: FileStatus
    ) throws(TransferFault) {
        guard try change(target, attributes) else { return }
        // An access control list has a part of the mode in it.
        try system { () throws(Errno) in try Attributes.copy(status, to: descriptor) }
    }

    private func change(
        _ target: AttributePlace,
        _ attributes: AttributePlace.Content?
    ) throws(TransferFault) -> Bool {
        let change = try target.take(attributes)
        if !change.isWhole { update { $0.withoutAttributes += 1 } }
        return change.isChanged
    }

    /// Does something to an entry, and notes what it fails with.
    func attempt(_ entry: TreeEntry, _ body: () throws(TransferFault) -> Void) {
        do throws(TransferFault) {
            try body()
        } catch {
            update { $0.failures.append(.init(path: entry.text, cause: error)) }
        }
    }

    /// Ends the transfer with the whole tree's root.
    func attemptEnd(_ body: () throws(Errno) -> Void) {
        do throws(Errno) {
            try body()
        } catch {
            update { $0.failures.append(.init(path: ".", cause: .system(error))) }
        }
    }

    /// Transfers every entry, several at once.
    func transfer(
        _ entries: [TreeEntry],
        width: Int,
        _ body: @escaping @Sendable (TreeEntry, TransferBuffers) throws(TransferFault) -> Void
    ) async {
        progress.totalFiles.store(entries.count, ordering: .relaxed)
        progress.totalBytes.store(
            entries.reduce(0) { $0 &+ 2 &* ($1.contentSize ?? 0) },
            ordering: .relaxed
        )
        let next = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(min(width, entries.count), 1) {
                group.addTask {
                    let buffers = TransferBuffers()
                    while let index = next.take(below: entries.count) {
                        self.attempt(entries[index]) { () throws(TransferFault) in
                            try self.progress.checkpoint()
                            try body(entries[index], buffers)
                        }
                    }
                }
            }
        }
    }
}

/// Deals numbers out.
private final class Counter: Sendable {
    private let next = Atomic<Int>(0)

    func take(below end: Int) -> Int? {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < end ? index : nil
    }
}

/// A directory that several threads reach into.
final class SourceRoot: Sendable {
    let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }
}
