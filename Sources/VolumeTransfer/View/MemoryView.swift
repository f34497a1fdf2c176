internal import CryptFS
internal import Cryptography
internal import Linux

/// A volume, decrypted into a directory in memory; and back, where that is wanted.
///
/// For one thread.
public final class MemoryView {
    /// Who a view is for.
    public struct Owner: Sendable {
        /// The user everything belongs to.
        public let user: UInt32

        /// The group.
        public let group: UInt32

        /// Puts the two together.
        public init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    let directory: ViewDirectory
    let volume: StoredVolume
    let owner: Owner?
    let isReadOnly: Bool
    let buffers = TransferBuffers()

    /// What is stored, as far as it is known to be: by plain path.
    var known: [[[UInt8]]: ViewEntry] = [:]

    /// - Parameters:
    ///   - volume: Open; for writing unless the view is to be for reading only.
    ///   - directory: Where it is to be shown.
    ///   - owner: Who everything is to belong to; nil for whom this process runs as.
    ///   - isReadOnly: Nobody gets the right to write by a mode.
    public init(
        of volume: StoredVolume,
        in directory: ViewDirectory,
        owner: Owner?,
        isReadOnly: Bool
    ) {
        self.volume = volume
        self.directory = directory
        self.owner = owner
        self.isReadOnly = isReadOnly
    }

    /// Decrypts everything.
    ///
    /// - Parameter checkpoint: Called between pieces of content with the bytes that are done and those
    ///   there are; returns whether to go on.
    /// - Throws: ``ViewError``: the first file that cannot be read is the end of it, for a view that
    ///   lacks something would be taken for the volume.
    public func fill(_ checkpoint: (UInt64, UInt64) -> Bool) throws(ViewError) {
        let tree: StoredTree
        do throws(TransferError) {
            tree = try StoredTree(of: volume)
        } catch {
            throw .transfer(error)
        }
        if let failure = tree.failures.first {
            throw .transfer(.file(path: failure.path, failure.cause))
        }
        try requireRoom(for: tree.entries)
        let total = tree.entries.reduce(0) { $0 + ($1.contentSize ?? 0) }
        var done: UInt64 = 0
        for entry in tree.entries {
            try filling(entry) { () throws(TransferFault) in
                try show(entry) { count in
                    done += count
                    return checkpoint(done, total)
                }
            }
        }
        // Deepest first: a mode may forbid to go into a directory.
        for entry in tree.entries.reversed() where entry.kind == .directory {
            try filling(entry) { () throws(TransferFault) in
                try system { () throws(Errno) in
                    let made = try TreeDirectory.open(
                        entry.plainNames,
                        below: directory.descriptor
                    )
                    try finish(made.rawValue, like: entry.status)
                }
            }
        }
        // Who does not own the topmost directory cannot change it, and need not.
        try? finish(directory.descriptor, like: FileStatus(of: volume.root.rawValue))
    }

    /// Overwrites and removes everything.
    public func wipe() throws(ViewError) {
        try directory.wipe()
    }

    private func filling(
        _ entry: TreeEntry,
        _ body: () throws(TransferFault) -> Void
    ) throws(ViewError) {
        do throws(TransferFault) {
            try body()
        } catch .interrupted {
            throw .interrupted
        } catch {
            throw .transfer(.file(path: entry.text, error))
        }
    }

    private func requireRoom(for entries: [TreeEntry]) throws(ViewError) {
        // Whole pages, and what the kernel needs of each file: 1 KiB is more than an inode and a name.
        let needed = entries.reduce(0 as UInt64) { sum, entry in
            let size = entry.kind == .file ? entry.contentSize ?? 0 : 0
            return sum &+ (size &+ 4095) / 4096 * 4096 &+ 1024
        }
        guard needed <= directory.room else {
            throw .tooLarge(path: directory.path, needed: needed, available: directory.room)
        }
        if let room = directory.fileRoom, UInt64(entries.count) > room {
            throw .tooManyFiles(
                path: directory.path,
                needed: UInt64(entries.count),
                available: room
            )
        }
    }
}

// One entry after the other.
extension MemoryView {
    private func show(
        _ entry: TreeEntry,
        _ goOn: (UInt64) -> Bool
    ) throws(TransferFault) {
        let path = entry.plainNames
        guard let stored = entry.stored.last, let name = path.last, path.count == entry.path.count
        else { throw .invalidTarget }
        let into = try system { () throws(Errno) in
            try TreeDirectory.open(path.dropLast(), below: directory.descriptor)
        }
        let from = try system { () throws(Errno) in
            try TreeDirectory.open(entry.stored.dropLast(), below: volume.root.rawValue)
        }
        guard goOn(0) else { throw .interrupted }
        switch entry.kind {
        case .directory:
            try system { () throws(Errno) in
                try FileCall.makeDirectory(name, in: into.rawValue, mode: 0o700)
            }
            known[entry.path] = ViewEntry(.directory, entry.status)
        case .link:
            let target = try LinkTarget.read(stored, in: from, of: volume)
            try system { () throws(Errno) in
                try makeLink(name, in: into.rawValue, to: target, like: entry.status)
            }
            known[entry.path] = ViewEntry(.link(target), entry.status)
        case .file:
            let digest = try decrypt(stored, from, as: name, into, goOn)
            known[entry.path] = ViewEntry(.file(digest), entry.status)
        }
    }

    private func decrypt(
        _ stored: FileName,
        _ from: borrowing OwnedDescriptor,
        as name: FileName,
        _ into: borrowing OwnedDescriptor,
        _ goOn: (UInt64) -> Bool
    ) throws(TransferFault) -> ContentDigest {
        let file = try volume.openFile(stored, in: from)
        let size = try file.contentSize()
        let parent = into.rawValue
        let made = try system { () throws(Errno) in
            try FileCall.open(name, in: parent, [.writeOnly, .createNew], mode: 0o600)
        }
        let number = made.rawValue
        var digest = ContentDigest()
        try file.forEachPiece(size: size, buffers) { piece, offset throws(TransferFault) in
            try system { () throws(Errno) in try FileCall.write(number, at: offset, piece) }
            digest.add(piece)
            guard goOn(UInt64(piece.count)) else { throw .interrupted }
        }
        try system { () throws(Errno) in
            try finish(number, like: FileStatus(of: file.descriptor))
        }
        return digest
    }

    private func makeLink(
        _ name: FileName,
        in parent: Int32,
        to target: [UInt8],
        like status: FileStatus
    ) throws(Errno) {
        try FileCall.makeLink(name, in: parent, to: target)
        if let owner {
            try FileCall.setOwner(of: name, in: parent, user: owner.user, group: owner.group)
        }
        try FileCall.setTimes(
            of: name,
            in: parent,
            accessed: status.accessed,
            modified: status.modified
        )
    }

    /// Owner, mode and times.
    private func finish(_ descriptor: Int32, like status: FileStatus) throws(Errno) {
        if let owner {
            try FileCall.setOwner(descriptor, user: owner.user, group: owner.group)
        }
        // After the owner, for a change of owner takes set-user-id away.
        try FileCall.setMode(descriptor, status.mode & (isReadOnly ? 0o7555 : 0o7777))
        try FileCall.setTimes(descriptor, accessed: status.accessed, modified: status.modified)
    }
}
