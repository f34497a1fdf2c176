internal import CryptFS
internal import Linux

// The way back. Nothing that is stored is lost by an end in the middle: a file gets its place when it is
// whole and on the disk, and what was removed is removed when everything else is stored.
extension MemoryView {
    /// Stores what has changed since it was filled, or stored last.
    ///
    /// - Returns: What was done, and what could not be; then nothing was removed, either.
    public func store() -> StoringReport {
        let tree = PlainTree(below: directory.descriptor)
        let entries = tree.entries.filter { $0.stored != [ViewDirectory.markerName] }
        let state = TransferState(TransferProgress())
        state.update {
            $0.special = tree.special
            $0.failures = tree.failures
        }
        let found = Dictionary(entries.map { ($0.path, $0.kind) }) { first, _ in first }
        var removed = 0
        removed += remove(state) { path, kind in
            // What is to be a directory and is none, or the reverse, stands in the way.
            found[path].map { ($0 == .directory) != (kind == .directory) } ?? false
        }
        for entry in entries {
            state.attempt(entry) { () throws(TransferFault) in try store(entry, state) }
        }
        if state.report.failures.isEmpty {
            removed += remove(state) { path, kind in found[path] != kind }
            // Not before: a mode may keep us from storing what is missing.
            for entry in entries.reversed() where entry.kind == .directory {
                state.attempt(entry) { () throws(TransferFault) in try finish(entry) }
            }
        }
        state.attemptEnd { () throws(Errno) in
            try FileCall.synchronize(volume.root.rawValue)
        }
        return StoringReport(state.report, removed: removed)
    }

    private func store(_ entry: TreeEntry, _ state: TransferState) throws(TransferFault) {
        let now = try look(at: entry)
        let before = known[entry.path]
        guard now != before else { return }
        if now.content == before?.content, entry.kind != .directory {
            try restate(entry, now)
        } else if entry.kind == .directory {
            guard before?.content != .directory, let name = entry.path.last else { return }
            let parent = try volume.directory(at: entry.path.dropLast())
            let stored = try volume.storedName(name, .directory, in: parent)
            try StoredDraft(volume).directory(as: stored, in: parent)
            state.update { $0.directories += 1 }
            // Its mode and times follow when it is full.
            return
        } else {
            try FileEncryption(
                volume: volume,
                source: .folder(try viewRoot()),
                state: state,
                storesView: true
            ).run(entry, buffers)
            let parent = try volume.directory(at: entry.path.dropLast())
            let number = parent.descriptor.rawValue
            try system { () throws(Errno) in try FileCall.synchronize(number) }
            // Of rclone's format a file and a link of one name are stored under two.
            if let kind = before?.kind, kind != entry.kind, kind != .directory {
                try StoredRemoval(volume).run(entry.path, kind, unlessStoredAs: entry.kind)
            }
        }
        known[entry.path] = now
    }

    /// What an entry is like at present.
    private func look(at entry: TreeEntry) throws(TransferFault) -> ViewEntry {
        guard let name = entry.stored.last else { throw .changed }
        let root = directory.descriptor
        switch entry.kind {
        case .directory: return ViewEntry(.directory, entry.status)
        case .link:
            let target = try system { () throws(Errno) in
                let parent = try TreeDirectory.open(entry.stored.dropLast(), below: root)
                return try FileCall.readLink(name, in: parent.rawValue)
            }
            return ViewEntry(.link(target), entry.status)
        case .file:
            let file = try system { () throws(Errno) in
                let parent = try TreeDirectory.open(entry.stored.dropLast(), below: root)
                return try FileCall.open(name, in: parent.rawValue, [.readOnly, .nonBlocking])
            }
            var digest = ContentDigest()
            var offset: UInt64 = 0
            var count = buffers.plain.count
            while count == buffers.plain.count {
                count = try system { () throws(Errno) in
                    try FileCall.read(file.rawValue, at: offset, into: buffers.plain)
                }
                if count > 0 {
                    digest.add(UnsafeRawBufferPointer(rebasing: buffers.plain[..<count]))
                }
                offset += UInt64(count)
            }
            return ViewEntry(.file(digest), entry.status)
        }
    }

    /// The content is the same; mode or times are not.
    private func restate(_ entry: TreeEntry, _ now: ViewEntry) throws(TransferFault) {
        guard let name = entry.path.last else { return }
        let parent = try volume.directory(at: entry.path.dropLast())
        let stored = try volume.storedName(name, entry.kind, in: parent)
        let number = parent.descriptor.rawValue
        try system { () throws(Errno) in
            if entry.kind == .file {
                let file = try FileCall.open(stored.entry, in: number, .readOnly)
                try FileCall.setMode(file.rawValue, now.mode)
            }
            try FileCall.setTimes(
                of: stored.entry,
                in: number,
                accessed: entry.status.accessed,
                modified: now.modified
            )
        }
    }

    private func finish(_ entry: TreeEntry) throws(TransferFault) {
        let now = ViewEntry(.directory, entry.status)
        let made = try volume.directory(at: entry.path)
        let number = made.descriptor.rawValue
        try system { () throws(Errno) in
            let stored = try FileStatus(of: number)
            if ViewEntry(.directory, stored) != now {
                try FileCall.setMode(number, now.mode)
                try FileCall.setTimes(
                    number,
                    accessed: entry.status.accessed,
                    modified: now.modified
                )
            }
            try FileCall.synchronize(number)
        }
        known[entry.path] = now
    }

    /// Removes what is stored and is to go, deepest first.
    ///
    /// - Returns: How much it was.
    private func remove(
        _ state: TransferState,
        _ isGone: ([[UInt8]], TreeEntry.Kind) -> Bool
    ) -> Int {
        let gone = known.keys.filter { path in
            // With everything below it.
            (1...path.count).contains { count in
                let above = Array(path.prefix(count))
                return known[above].map { isGone(above, $0.kind) } ?? false
            }
        }
        var removed = 0
        for path in gone.sorted(by: { $0.count > $1.count }) {
            guard let kind = known[path]?.kind else { continue }
            do throws(TransferFault) {
                try StoredRemoval(volume).run(path, kind)
                known[path] = nil
                removed += 1
            } catch {
                state.update {
                    $0.failures.append(.init(path: TreeEntry.text(path), cause: error))
                }
            }
        }
        return removed
    }

    private func viewRoot() throws(TransferFault) -> SourceRoot {
        try system { () throws(Errno) in
            let root = directory.descriptor
            return SourceRoot(try FileCall.reopen(directory: root, [.readOnly, .directory]))
        }
    }
}

/// What came of storing a view.
public struct StoringReport: Sendable {
    /// Files and links written.
    public let written: Int

    /// Files, links and directories removed.
    public let removed: Int

    /// Pipes, sockets and devices, which have no place in the volume by this way.
    public let special: Int

    /// What could not be stored, and why: path and cause.
    public let failures: [(path: String, cause: String)]

    init(_ report: TransferReport, removed: Int) {
        written = report.files + report.links
        self.removed = removed
        special = report.special.count
        failures = report.failures.map { ($0.path, $0.cause.description) }
    }
}
