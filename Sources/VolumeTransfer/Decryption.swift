internal import CryptFS
internal import Glibc
internal import Linux
internal import VolumeFormat

/// Decrypts a volume into a folder.
///
/// What is in the folder already, with the same size and time, is passed over. Every file is
/// written under a name of its own, read back and compared, and only then gets its place. Nothing
/// of a file that does not authenticate is left behind.
public struct Decryption: Sendable {
    private let volume: StoredVolume
    private let target: String
    private let width: Int
    private let progress: TransferProgress

    /// - Parameters:
    ///   - volume: Opened for reading.
    ///   - target: A folder; made if it is not there.
    ///   - width: How many files at once.
    ///   - progress: Watched and stopped from elsewhere.
    public init(
        of volume: StoredVolume,
        into target: String,
        width: Int,
        progress: TransferProgress = TransferProgress()
    ) {
        self.volume = volume
        self.target = target
        self.width = width
        self.progress = progress
    }

    /// Decrypts everything it can.
    ///
    /// - Returns: What was done, and what could not be.
    /// - Throws: ``TransferError`` where nothing could be begun.
    public func run() async throws(TransferError) -> TransferReport {
        if mkdir(target, 0o700) != 0, Errno.current != .fileExists {
            throw .file(path: target, .system(.current))
        }
        try Nesting.check(target, storage: volume.path)
        let descriptor: OwnedDescriptor
        do throws(Errno) {
            descriptor = try FileCall.open(path: target, [.readOnly, .directory])
        } catch {
            throw .file(path: target, .system(error))
        }
        let root = SourceRoot(descriptor)
        let tree = try StoredTree(of: volume)
        let state = TransferState(progress)
        state.update {
            $0.special = tree.special
            $0.foreign = tree.foreign
            $0.failures = tree.failures
        }
        let directories = tree.entries.filter { $0.kind == .directory }
        removeDrafts(in: [], root)
        for directory in directories {
            state.attempt(directory) { () throws(TransferFault) in
                try make(directory, root)
                removeDrafts(in: directory.path, root)
                state.update { $0.directories += 1 }
            }
        }
        let file = FileDecryption(volume: volume, target: root.descriptor.rawValue, state: state)
        let list =
            volume.hasHolesAndLinks
            ? TransferList(tree.entries, isKept: true)
            : TransferList(each: tree.entries.filter { $0.kind != .directory })
        await state.transfer(list, width: width) { (entry, buffers) throws(TransferFault) in
            try file.run(entry, buffers)
        } linking: { (entry, first) throws(TransferFault) in
            try file.link(entry, to: first)
        }
        for directory in directories.reversed() {
            state.attempt(directory) { () throws(TransferFault) in
                try finish(directory, root, state)
            }
        }
        state.attemptEnd { () throws(Errno) in
            try FileCall.synchronize(root.descriptor.rawValue)
        }
        return state.report
    }

    private func make(_ directory: TreeEntry, _ root: SourceRoot) throws(TransferFault) {
        let path = directory.plainNames
        guard let name = path.last else { return }
        try system { () throws(Errno) in
            let parent = try TreeDirectory.open(path.dropLast(), below: root.descriptor.rawValue)
            do throws(Errno) {
                try FileCall.makeDirectory(name, in: parent.rawValue, mode: 0o700)
            } catch .fileExists {
                _ = try FileCall.open(name, in: parent.rawValue, [.readOnly, .directory])
            }
        }
    }

    private func finish(
        _ directory: TreeEntry,
        _ root: SourceRoot,
        _ state: TransferState
    ) throws(TransferFault) {
        let made = try system { () throws(Errno) in
            try TreeDirectory.open(directory.plainNames, below: root.descriptor.rawValue)
        }
        let number = made.rawValue
        let from = try TransferSource.volume(volume).openDirectory(directory)
        let fault = state.carry(
            try volume.attributes(of: from.rawValue).read(),
            to: .plain(number)
        )
        try system { () throws(Errno) in
            try Attributes.copy(directory.status, to: number)
            try FileCall.synchronize(number)
        }
        if let fault { throw fault }
    }

    /// What an interrupted run left there.
    private func removeDrafts(in path: [[UInt8]], _ root: SourceRoot) {
        guard
            let directory = try? TreeDirectory.open(
                path.compactMap { FileName($0) },
                below: root.descriptor.rawValue
            )
        else { return }
        var drafts: [FileName] = []
        try? DirectoryScan.forEach(in: directory.rawValue) { record in
            if DraftName.matches(record.name), let name = FileName(record.name) {
                drafts.append(name)
            }
        }
        for draft in drafts { try? FileCall.unlink(draft, in: directory.rawValue) }
    }
}

extension TreeEntry {
    /// The plain path as the kernel takes it; decrypted names have neither slash nor NUL.
    var plainNames: [FileName] { path.compactMap { FileName($0) } }
}
