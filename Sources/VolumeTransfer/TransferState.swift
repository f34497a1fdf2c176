internal import Linux
internal import Synchronization

/// What the threads of a transfer share.
final class TransferState: Sendable {
    let progress: TransferProgress

    private struct Shared {
        var report = TransferReport()

        /// Files of the target that have several names and were passed over: for which of the source's.
        var owners: [FileIdentity: FileIdentity] = [:]
    }

    private let shared = Mutex(Shared())

    init(_ progress: TransferProgress) {
        self.progress = progress
    }

    var report: TransferReport { shared.withLock { $0.report } }

    func update(_ change: (inout TransferReport) -> Void) {
        shared.withLock { change(&$0.report) }
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
    ///
    /// - Returns: Whether its content, at least, is where it belongs.
    @discardableResult
    func attempt(_ entry: TreeEntry, _ body: () throws(TransferFault) -> Void) -> Bool {
        do throws(TransferFault) {
            try body()
            return true
        } catch {
            update { $0.failures.append(.init(path: entry.text, cause: error)) }
            if case .attributes = error { return true }
            return false
        }
    }

    /// Goes through the content of files that are, or become, the same; what is a hole in all of them
    /// counts as done.
    ///
    /// - Parameters:
    ///   - maps: Where each has content.
    ///   - size: The length of all of them.
    ///   - body: Gets successive pieces, see ``ContentWalk/next()``.
    /// - Throws: ``TransferFault/interrupted``, and what `body` throws.
    func forEachPiece(
        of maps: [ContentMap],
        size: UInt64,
        _ body: (Range<UInt64>) throws(TransferFault) -> Void
    ) throws(TransferFault) {
        var walk = ContentWalk(maps, size: size)
        var done: UInt64 = 0
        while let piece = walk.next() {
            try progress.checkpoint()
            try body(piece)
            progress.add(bytes: piece.upperBound - done)
            done = piece.upperBound
        }
        progress.add(bytes: size - done)
    }

    /// Whether a file of the target is one file of the source's, and not another's as well.
    ///
    /// - Parameters:
    ///   - found: In the target.
    ///   - source: What it would be left for.
    /// - Returns: Always true for a file with one name, and where there are too many to know them.
    func isAlone(_ found: FileStatus, for source: FileStatus) -> Bool {
        guard found.linkCount > 1 else { return true }
        return shared.withLock { state in
            let owner = state.owners[found.identity]
            if owner == nil, state.owners.count < TransferList.limit {
                state.owners[found.identity] = source.identity
            }
            return owner.map { $0 == source.identity } ?? true
        }
    }

    /// Whether the target's file system refused one more name where it might have taken a file.
    static func isUnlinkable(_ errno: Errno) -> Bool {
        [.operationNotPermitted, .notSupported, .tooManyLinks, .crossDevice].contains(errno)
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
    ///
    /// - Parameters:
    ///   - list: What.
    ///   - width: How many at once.
    ///   - body: Transfers one entry.
    ///   - linking: Gives the file of its second argument, which was transferred, one more name; returns
    ///     whether it has it. Otherwise the name is transferred like another.
    func transfer(
        _ list: TransferList,
        width: Int,
        _ body: @escaping @Sendable (TreeEntry, TransferBuffers) throws(TransferFault) -> Void,
        linking: @escaping @Sendable (TreeEntry, TreeEntry) throws(TransferFault) -> Bool = {
            _,
            _ in false
        }
    ) async {
        let entries = list.entries
        update { $0.withoutLinks += list.separatedNames }
        progress.totalFiles.store(
            list.furtherNames.values.reduce(entries.count) { $0 + $1.count },
            ordering: .relaxed
        )
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
                        var first: TreeEntry?
                        for entry in [entries[index]] + list.furtherNames[index, default: []] {
                            let isThere = self.attempt(entry) { () throws(TransferFault) in
                                try self.progress.checkpoint()
                                if let first, try linking(entry, first) { return }
                                try body(entry, buffers)
                            }
                            if first == nil, isThere { first = entry }
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
