internal import Linux

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
        let state = TransferState(progress)
        let filling: Filling
        let tree: PlainTree
        do throws(Errno) {
            let root: SourceRoot
            (root, tree) = try open()
            filling = Filling(volume: volume, source: .folder(root), state: state, width: width)
            try volume.removeDrafts()
        } catch {
            throw .file(path: source, .system(error))
        }
        state.update {
            $0.special = tree.special
            $0.failures = tree.failures
        }
        await filling.run(tree.entries)
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
}
