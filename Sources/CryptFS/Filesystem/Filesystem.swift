internal import CFuse
internal import Linux
internal import Synchronization

/// A file system for the kernel over any storage format: nodes, handles, names and attributes.
///
/// Locks, in the order in which a thread may take them: a node's `handles`; a content's own; then
/// `namespace`; then those of the table and the cache, which are held for a moment only.
/// `namespace` is read by whoever uses a node's place for a system call, and written by whoever
/// changes one that others may be using.
final class Filesystem<Format: StorageFormat>: RequestHandler {
    typealias FileNode = Node<Format>

    let format: Format
    let table: NodeTable<Format>
    let directories: DirectoryCache<Format>
    let contents: ContentCache<Format>
    let namespace = ReadWriteLock()
    let isReadOnly: Bool
    let isExclusive: Bool
    let changesInPlace: Bool

    /// For how many seconds the kernel may rely on names and attributes.
    ///
    /// Long, since nobody else writes to the storage; short where somebody may.
    let validity: Double

    private let rootDirectory: Format.Directory

    /// Serves `format` from the directory `root`.
    ///
    /// - Parameters:
    ///   - format: Whose names and contents.
    ///   - root: The storage's topmost directory.
    ///   - isReadOnly: Nothing is changed.
    ///   - isExclusive: Nobody else changes the storage meanwhile.
    ///   - directoryLimit: How many other directories are held open.
    ///   - contentLimit: How many contents are, where the kernel does not say which are in use.
    /// - Throws: ``Errno``.
    init(
        format: Format,
        root: consuming OwnedDescriptor,
        isReadOnly: Bool,
        isExclusive: Bool,
        directoryLimit: Int = 256,
        contentLimit: Int = 1024
    ) throws(Errno) {
        self.format = format
        self.isReadOnly = isReadOnly
        self.isExclusive = isExclusive
        changesInPlace = format.changesInPlace
        validity = isExclusive ? 86_400 : 1
        contents = ContentCache(limit: contentLimit)
        let context = try format.nameContext(ofDirectory: root.rawValue)
        table = NodeTable(root: try FileStatus(of: root.rawValue).identity)
        directories = DirectoryCache(limit: directoryLimit)
        rootDirectory = Format.Directory(root, context: context)
    }

    func statistics(_ reply: consuming PendingReply) {
        do throws(Errno) {
            let status = try VolumeStatistics(of: rootDirectory.descriptor.rawValue)
            reply.statistics(
                cfuse_statistics(
                    blocks: status.blocks,
                    free_blocks: status.freeBlocks,
                    available_blocks: status.availableBlocks,
                    files: status.files,
                    free_files: status.freeFiles,
                    block_size: UInt32(status.blockSize),
                    fragment_size: UInt32(status.fragmentSize),
                    name_limit: UInt32(format.nameLimit)
                )
            )
        } catch {
            reply.fail(error)
        }
    }

    func finish(scratch: Scratch) {
        for node in table.all {
            guard let content = node.content, content.isDirty else { continue }
            do throws(Errno) {
                try content.commit(
                    durably: true,
                    to: NodePlace(node: node, filesystem: self),
                    scratch: scratch
                )
            } catch {
                let name = table.place(of: node)?.name.description ?? ""
                Log.warning(
                    "A file's last changes could not be stored",
                    ["error": error.description, "stored_name": name]
                )
            }
        }
    }

    /// The storage directory of a node.
    ///
    /// To be called with `namespace` held. Fails with `ENOENT` when it was removed.
    func directory(of node: FileNode) throws(Errno) -> Format.Directory {
        var (found, way) = try nearestDirectory(above: node)
        while let (below, name) = way.popLast() {
            let descriptor = try FileCall.open(
                name,
                in: found.descriptor.rawValue,
                [.placeOnly, .directory]
            )
            let context = try format.nameContext(ofDirectory: descriptor.rawValue)
            found = Format.Directory(descriptor, context: context)
            directories.hold(found, of: below)
        }
        return found
    }

    /// What is held open of a node and the directories it is in, and the way down from there, the node's own name first.
    private func nearestDirectory(
        above node: FileNode
    ) throws(Errno) -> (Format.Directory, way: [(FileNode, FileName)]) {
        var way: [(FileNode, FileName)] = []
        var node = node
        while node !== table.root {
            if let held = directories.directory(of: node) { return (held, way) }
            guard let place = table.place(of: node) else { throw .noSuchFile }
            way.append((node, place.name))
            node = place.parent
        }
        return (rootDirectory, way)
    }

    /// Fails where nothing may be changed.
    ///
    /// The kernel checks as well, but not in every case.
    func requireWritable() throws(Errno) {
        if isReadOnly { throw .readOnlyFileSystem }
    }
}

/// Where a node's content is stored.
struct NodePlace<Format: StorageFormat>: ContentPlace {
    let node: Node<Format>
    let filesystem: Filesystem<Format>

    func replace(
        _ body: (Int32, FileName) throws(Errno) -> FileIdentity
    ) throws(Errno) -> Bool {
        try filesystem.namespace.withWriting { () throws(Errno) in
            guard let place = filesystem.table.place(of: node) else { return false }
            let directory = try filesystem.directory(of: place.parent)
            let identity = try body(directory.descriptor.rawValue, place.name)
            filesystem.table.replace(node, by: identity)
            return true
        }
    }

    func synchronizeDirectory() throws(Errno) {
        let directory = try filesystem.namespace.withReading {
            () throws(Errno) -> Format.Directory? in
            guard let place = filesystem.table.place(of: node) else { return nil }
            return try filesystem.directory(of: place.parent)
        }
        guard let directory else { return }
        // What is held open is the place only, which cannot be synchronised.
        let descriptor = try FileCall.reopen(
            directory: directory.descriptor.rawValue,
            [.readOnly, .directory]
        )
        try FileCall.synchronize(descriptor.rawValue)
    }
}
