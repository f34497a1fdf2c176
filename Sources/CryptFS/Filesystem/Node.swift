internal import Linux
internal import Synchronization

/// A file, directory or link that the kernel knows.
///
/// The kernel calls a node by its address, which is valid as long as its lookup count is not zero:
/// ``NodeTable`` keeps it alive until then.
final class Node<Format: StorageFormat>: @unchecked Sendable {
    // Unchecked: `place`, `identity`, `lookupCount` and `orphan` are the table's, under its lock; the rest
    // is constant or has a lock of its own.

    /// What is told as the inode number; no two living nodes have the same.
    let number: UInt64

    let kind: EntryKind

    /// Where a node is found: a directory and a name there.
    struct Place {
        let parent: Node
        let name: FileName
    }

    /// Nil for the root, and once the name was removed.
    var place: Place?

    /// Which stored file it is at present.
    var identity: FileIdentity

    /// How often the kernel was told of it and has not yet forgotten.
    var lookupCount: UInt64 = 0

    /// The directory held open, if it is one; ``DirectoryCache`` sets and drops it under its lock.
    var directory: Format.Directory?

    /// Once the last name was removed, what keeps the stored file.
    var orphan: HeldFile?

    /// How many handles a file has; held by whoever opens or closes, also while that takes.
    let handles = Mutex(0)

    // A lock of its own, held for a moment only: the content is asked for with the namespace held,
    // and opening takes the namespace with `handles` held.
    private let currentContent = Mutex<Format.Content?>(nil)

    /// What a file has while it is open, or has changes that could not be stored yet; set with
    /// `handles` held.
    var content: Format.Content? {
        get { currentContent.withLock { $0 } }
        set {
            // What was there goes outside the lock: closing may take.
            let former = currentContent.withLock { content in
                let former = content
                content = newValue
                return former
            }
            _ = former
        }
    }

    init(number: UInt64, kind: EntryKind, identity: FileIdentity, place: Place?) {
        self.number = number
        self.kind = kind
        self.identity = identity
        self.place = place
    }
}

/// A stored file that is kept although it has lost its name.
final class HeldFile: Sendable {
    let descriptor: OwnedDescriptor

    /// What its last name was.
    let name: FileName

    init(_ descriptor: consuming OwnedDescriptor, name: FileName) {
        self.descriptor = descriptor
        self.name = name
    }
}
