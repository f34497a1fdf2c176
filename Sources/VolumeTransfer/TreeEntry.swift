public import Linux

/// One entry of a tree: plain in a folder, or decrypted from a storage.
public struct TreeEntry: Sendable {
    /// What it is to a person.
    public enum Kind: Sendable {
        /// Has content.
        case file
        /// Has entries.
        case directory
        /// Has a target.
        case link
    }

    /// What it is.
    public let kind: Kind

    /// Its plain path, segment by segment, relative to the tree's root.
    public let path: [[UInt8]]

    /// What the kernel knows of it; for a stored entry, of the stored file.
    public let status: FileStatus

    /// The length of its content in bytes, of a link its target's; nil for a directory, and for a
    /// stored file of a size that no content has.
    public let contentSize: UInt64?

    /// The path as it lies on the disk; for a plain tree the same.
    let stored: [FileName]

    /// The plain path as text.
    public var text: String { Self.text(path) }

    /// A path as text; what is not UTF-8 is replaced.
    static func text(_ path: [[UInt8]]) -> String {
        path.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
    }
}

/// Reaches into a tree without ever following a symbolic link.
enum TreeDirectory {
    /// Opens a directory below another.
    static func open(
        _ path: some Collection<FileName>,
        below root: Int32
    ) throws(Errno) -> OwnedDescriptor {
        var directory = try FileCall.reopen(directory: root, [.readOnly, .directory])
        for name in path {
            directory = try FileCall.open(name, in: directory.rawValue, [.readOnly, .directory])
        }
        return directory
    }
}
