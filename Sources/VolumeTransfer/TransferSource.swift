internal import Linux

/// Where content is transferred from.
enum TransferSource: Sendable {
    /// A plain folder.
    case folder(SourceRoot)

    /// Another volume.
    case volume(StoredVolume)

    /// Opens the directory an entry is in.
    func parent(of entry: TreeEntry) throws(TransferFault) -> OwnedDescriptor {
        try system { () throws(Errno) in
            try TreeDirectory.open(entry.stored.dropLast(), below: root)
        }
    }

    /// Opens a file.
    func openFile(
        _ name: FileName,
        in directory: borrowing OwnedDescriptor
    ) throws(TransferFault) -> SourceFile {
        switch self {
        case .folder:
            let parent = directory.rawValue
            let file = try system { () throws(Errno) in
                try FileCall.open(name, in: parent, [.readOnly, .nonBlocking])
            }
            let number = file.rawValue
            let status = try system { () throws(Errno) in try FileStatus(of: number) }
            guard status.kind == .regular else { throw .changed }
            return .plain(SourceRoot(file))
        case .volume(let volume): return .stored(try volume.openFile(name, in: directory))
        }
    }

    /// Where the extended attributes of something open are.
    func attributes(of descriptor: Int32) -> AttributePlace {
        switch self {
        case .folder: .plain(descriptor)
        case .volume(let volume): volume.attributes(of: descriptor)
        }
    }

    /// Reads a symbolic link.
    func readLink(
        _ name: FileName,
        in directory: borrowing OwnedDescriptor
    ) throws(TransferFault) -> [UInt8] {
        switch self {
        case .folder:
            let parent = directory.rawValue
            return try system { () throws(Errno) in try FileCall.readLink(name, in: parent) }
        case .volume(let volume): return try LinkTarget.read(name, in: directory, of: volume)
        }
    }

    /// What the format of the source says of files with several names.
    var hasLinks: Bool {
        switch self {
        case .folder: true
        case .volume(let volume): volume.hasHolesAndLinks
        }
    }

    /// Whether two entries are names of one file at present.
    func isOneFile(_ entry: TreeEntry, _ other: TreeEntry) throws(TransferFault) -> Bool {
        try identity(of: entry) == identity(of: other)
    }

    private func identity(of entry: TreeEntry) throws(TransferFault) -> FileIdentity? {
        guard let name = entry.stored.last else { return nil }
        let parent = try parent(of: entry)
        let number = parent.rawValue
        return try system { () throws(Errno) in try FileStatus(in: number, named: name).identity }
    }

    /// Opens a directory.
    func openDirectory(_ entry: TreeEntry) throws(TransferFault) -> OwnedDescriptor {
        try system { () throws(Errno) in try TreeDirectory.open(entry.stored, below: root) }
    }

    private var root: Int32 {
        switch self {
        case .folder(let root): root.descriptor.rawValue
        case .volume(let volume): volume.root.rawValue
        }
    }
}

/// A file that is transferred: for one thread.
enum SourceFile {
    case plain(SourceRoot)
    case stored(StoredFile)

    /// What the kernel knows of it at present.
    func status() throws(TransferFault) -> FileStatus {
        try system { () throws(Errno) in try FileStatus(of: descriptor) }
    }

    /// The length of its content at present, in bytes.
    func contentSize() throws(TransferFault) -> UInt64 {
        switch self {
        case .plain: try status().size
        case .stored(let file): try file.contentSize()
        }
    }

    /// Reads a piece of content.
    ///
    /// - Parameters:
    ///   - offset: Where a block begins.
    ///   - size: The length of its content.
    ///   - plain: Receives it.
    ///   - sealed: Room for as much, sealed.
    /// - Returns: How many bytes: fewer than there is room for only at the end.
    /// - Throws: ``TransferFault``.
    func read(
        at offset: UInt64,
        size: UInt64,
        into plain: UnsafeMutableRawBufferPointer,
        sealed: UnsafeMutableRawBufferPointer
    ) throws(TransferFault) -> Int {
        switch self {
        case .plain:
            try system { () throws(Errno) in
                try FileCall.read(descriptor, at: offset, into: plain)
            }
        case .stored(let file):
            try file.read(at: offset, size: size, into: plain, sealed: sealed)
        }
    }

    /// Where there is content.
    var map: ContentMap {
        switch self {
        case .plain: .plain(descriptor)
        case .stored(let file): file.map
        }
    }

    /// Whether nothing follows, whatever length the kernel says the file has.
    func ends(at size: UInt64) throws(TransferFault) -> Bool {
        switch self {
        case .plain:
            let file = descriptor
            return try withUnsafeTemporaryAllocation(
                byteCount: 1,
                alignment: 1
            ) { byte throws(TransferFault) in
                try system { () throws(Errno) in
                    try FileCall.read(file, at: size, into: byte) == 0
                }
            }
        case .stored(let file): return try file.contentSize() == size
        }
    }

    /// Where its extended attributes are.
    func attributes(in source: TransferSource) -> AttributePlace {
        source.attributes(of: descriptor)
    }

    private var descriptor: Int32 {
        switch self {
        case .plain(let file): file.descriptor.rawValue
        case .stored(let file): file.descriptor
        }
    }
}
