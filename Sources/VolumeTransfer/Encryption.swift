internal import CryptFS
internal import Glibc
internal import Linux
internal import Synchronization
internal import VolumeFormat

/// Encrypts a folder, or a single file, into a volume.
///
/// What is in the volume already, with the same size, time and a header that opens, is passed over:
/// running again goes on where a run was stopped. Every file is written under a name of its own,
/// read back and compared, and only then gets its place; what stood there stays until then.
public struct Encryption: Sendable {
    private let source: String
    private let volume: StoredVolume
    private let width: Int
    private let progress: TransferProgress
    private let placement: Placement

    /// Where a folder goes.
    public enum Placement: Sendable {
        /// Its content goes into the volume's topmost directory.
        case content

        /// It becomes a directory of the volume, unless its path ends in `.` or `..`: as `cp -r`.
        case folder
    }

    /// - Parameters:
    ///   - source: A folder, or a file.
    ///   - volume: Opened for writing.
    ///   - width: How many files at once.
    ///   - placement: Where a folder goes.
    ///   - progress: Watched and stopped from elsewhere.
    public init(
        of source: String,
        into volume: StoredVolume,
        width: Int,
        placement: Placement = .content,
        progress: TransferProgress = TransferProgress()
    ) {
        self.source = source
        self.volume = volume
        self.width = width
        self.placement = placement
        self.progress = progress
    }

    /// Encrypts everything it can.
    ///
    /// - Returns: What was done, and what could not be.
    /// - Throws: ``TransferError`` where nothing could be begun.
    public func run() async throws(TransferError) -> TransferReport {
        try Nesting.check(source, storage: volume.path)
        let root: SourceRoot
        let tree: PlainTree
        do throws(Errno) {
            (root, tree) = try open()
            try removeDrafts()
        } catch {
            throw .file(path: source, .system(error))
        }
        let state = TransferState(progress)
        state.update {
            $0.special = tree.special
            $0.failures = tree.failures
        }
        let directories = tree.entries.filter { $0.kind == .directory }
        for directory in directories {
            state.attempt(directory) { () throws(TransferFault) in
                try make(directory)
                state.update { $0.directories += 1 }
            }
        }
        await state.transfer(tree.entries.filter { $0.kind != .directory }, width: width) {
            (entry, buffers) throws(TransferFault) in
            try FileEncryption(volume: volume, source: root.descriptor.rawValue, state: state)
                .run(entry, buffers)
        }
        // Last, for writing into a directory changes its times; deepest first, for a mode may
        // forbid to go into it.
        for directory in directories.reversed() {
            state.attempt(directory) { () throws(TransferFault) in try finish(directory) }
        }
        state.attemptEnd { () throws(Errno) in
            try FileCall.synchronize(volume.root.rawValue)
        }
        return state.report
    }

    private func open() throws(Errno) -> (SourceRoot, PlainTree) {
        let isFolder = try FileStatus(path: source).kind == .directory
        if !isFolder || placement == .folder, let (parent, name) = lastSegment {
            let root = SourceRoot(try FileCall.open(path: parent, [.readOnly, .directory]))
            let tree = try PlainTree(name, in: root.descriptor.rawValue)
            return (root, tree)
        }
        let root = SourceRoot(try FileCall.open(path: source, [.readOnly, .directory]))
        return (root, PlainTree(below: root.descriptor.rawValue))
    }

    /// The source's name, and the folder it is in; nil for a path that ends in `.` or `..`.
    private var lastSegment: (parent: String, name: FileName)? {
        let path = source.utf8.reversed().drop { $0 == UInt8(ascii: "/") }.reversed()
        let name = path.reversed().prefix { $0 != UInt8(ascii: "/") }.reversed()
        guard let fileName = FileName(Array(name)) else { return nil }
        let parent = String(decoding: path.dropLast(name.count), as: UTF8.self)
        return (parent.isEmpty ? "." : parent, fileName)
    }

    /// What an interrupted run left; the storage is locked, so nobody is writing one.
    private func removeDrafts() throws(Errno) {
        var drafts: [FileName] = []
        try DirectoryScan.forEach(in: volume.root.rawValue) { record in
            if DraftName.matches(record.name), let name = FileName(record.name) {
                drafts.append(name)
            }
        }
        for draft in drafts { try? FileCall.unlink(draft, in: volume.root.rawValue) }
    }

    private func stored(_ directory: TreeEntry) throws(TransferFault) -> [FileName] {
        var stored: [FileName] = []
        for name in directory.path { stored.append(try volume.storedName(name, .directory)) }
        return stored
    }

    private func make(_ directory: TreeEntry) throws(TransferFault) {
        let stored = try stored(directory)
        guard let name = stored.last else { return }
        try system { () throws(Errno) in
            let parent = try TreeDirectory.open(stored.dropLast(), below: volume.root.rawValue)
            do throws(Errno) {
                try FileCall.makeDirectory(name, in: parent.rawValue, mode: 0o700)
            } catch .fileExists {
                _ = try FileCall.open(name, in: parent.rawValue, [.readOnly, .directory])
            }
        }
    }

    private func finish(_ directory: TreeEntry) throws(TransferFault) {
        let stored = try stored(directory)
        try system { () throws(Errno) in
            let made = try TreeDirectory.open(stored, below: volume.root.rawValue)
            try Attributes.copy(directory.status, to: made.rawValue)
            try FileCall.synchronize(made.rawValue)
        }
    }
}
