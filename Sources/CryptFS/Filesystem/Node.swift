internal import Linux
internal import Synchronization

/// A file, directory or link that the kernel knows.
///
/// The kernel calls a node by its address, which is valid as long as its lookup count is not zero:
/// ``NodeTable`` keeps it alive until then.
final class Node<Format: StorageFormat>: @unchecked Sendable {
    // Unchecked: `place`, `otherPlaces`, `identity`, `lookupCount` and `orphan` are the table's, under its lock; the rest
    // is constant or has a lock of its own.

    /// What is told as the inode number; no two living nodes have the same.
    let number: UInt64

    let kind: EntryKind

    /// Where a node is found: a directory and a name there.
    struct Place: Equatable {
        let parent: Node
        let name: FileName

        static func == (left: Place, right: Place) -> Bool {
            left.parent === right.parent && left.name == right.name
        }
    }

    /// Nil for the root, and once every name that is known was removed.
    var place: Place?

    /// Further names of a file with several, as far as the kernel was told of them.
    var otherPlaces: [Place] = []

    /// Which stored file it is at present.
    var identity: FileIdentity

    /// How often the kernel was told of it and has not yet forgotten.
    var lookupCount: UInt64 = 0

    /// The directory held open, if it is one; ``DirectoryCache`` sets and drops it under its lock.
    var directory: Format.Directory?

    /// Once the last name that is known was removed, what keeps the stored file.
    var orphan: HeldFile?

    /// How many handles a file has; held by whoever opens or closes, also while that takes.
    let handles = Mutex(0)

    // A lock of its own, held for a moment only: the content is asked for with the namespace held,
    // and opening takes the namespace with `handles` held.
    private let currentContent = Mutex<Format.Content?>(nil)

    /// What a file has while it is open, or has changes that could not be stored yet; set with
    /// `handles` held, or once the kernel has forgotten the node.
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

    /// Drops the content unless somebody is using it.
    ///
    /// - Returns: Whether there is none any more.
    func dropIdleContent() -> Bool {
        var former: Format.Content?
        return currentContent.withLock { content in
            // Who uses it got it under this lock, and holds a reference.
            guard content == nil || isKnownUniquelyReferenced(&content) else { return false }
            swap(&content, &former)
            return true
        }
    }

    init(number: UInt64, kind: EntryKind, identity: FileIdentity, place: Place?) {
        self.number = number
        self.kind = kind
        self.identity = identity
        self.place = place
    }

    /// The last of a deep directory's nodes may be all that keeps its parent, and that all that keeps its own: they go
    /// one after the other, since a stack has an end.
    deinit {
        var parent = place?.parent
        place = nil
        while isKnownUniquelyReferenced(&parent) {
            let next = parent?.place?.parent
            parent?.place = nil
            parent = next
        }
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
