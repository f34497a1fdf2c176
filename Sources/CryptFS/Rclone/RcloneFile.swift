internal import Linux
internal import Synchronization
internal import VolumeFormat

/// The content of an open file of an rclone volume.
///
/// What is stored under the file's name never changes: a block's nonce follows from the file's
/// nonce and the block's index, so a block sealed twice with different content would give both away.
/// Changes therefore lead to another file, under a nonce of its own, which takes the name over when
/// it is complete. Until then
///
/// - ``Draft`` is that other file, begun early: while nothing of the old content counts, whole
///   blocks go straight into it. Each index is sealed into it at most once; the first write to a
///   block that is already there ends the draft, which from then on is a source like an old file.
/// - ``StagedChanges`` has all other changed pages, over whatever ``State/base`` has.
final class RcloneFile: FileContent, @unchecked Sendable {
    // Unchecked: `state` is under `lock`. A thread takes `writer` before it.

    /// An old content, or what was a draft: where unchanged blocks are read from.
    struct Source {
        let file: SealedFile

        /// Bytes of content in it.
        var size: UInt64

        /// Which blocks it has; nil means all.
        var blocks: SparseBitmap?

        func has(_ block: UInt64) -> Bool { blocks?.contains(block) ?? true }
    }

    struct State {
        /// What unchanged content is read from.
        var base: Source

        /// How many bytes of `base` still count; what lies behind is zeros.
        var baseLimit: UInt64

        /// The file to come, as far as it is already known.
        var draft: Draft?

        /// Pages over `base`.
        var changes: StagedChanges?
    }

    let storage: RcloneStorage
    private let name: FileName
    let lock = ReadWriteLock()

    /// Read by who fills the draft with blocks of its own, written by who changes anything else.
    let writer = ReadWriteLock()

    var state: State
    private let stored: Mutex<SealedFile>
    private let currentSize: Atomic<UInt64>
    private let hasChanges = Atomic(false)
    private let timesAreStale = Atomic(false)

    /// Whether nothing was stored since the file was made, and nobody asked for durability: it has
    /// nothing that a loss of power could take.
    private let isFresh: Atomic<Bool>

    /// The content of what bears the file's name, `size` bytes long.
    init(
        stored: SealedFile,
        size: UInt64,
        name: FileName,
        storage: RcloneStorage,
        isFresh: Bool = false
    ) {
        self.isFresh = Atomic(isFresh)
        self.stored = Mutex(stored)
        self.storage = storage
        self.name = name
        state = State(base: Source(file: stored, size: size, blocks: nil), baseLimit: size)
        currentSize = Atomic(size)
    }

    deinit {
        if let draft = state.draft { storage.discard(draft) }
    }

    var size: UInt64 { currentSize.load(ordering: .acquiring) }

    var isDirty: Bool { hasChanges.load(ordering: .acquiring) }

    /// Whether what bears the file's name may have been synchronised, so that it is replaced only by
    /// what is on the disk.
    var mayBeSynchronized: Bool { !isFresh.load(ordering: .acquiring) }

    /// Somebody asked for durability.
    func wasSynchronized() {
        isFresh.store(false, ordering: .releasing)
    }

    /// What bears the file's name.
    var storedFile: SealedFile { stored.withLock { $0 } }

    func withMetadata<Result>(
        _ body: (Int32) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let file = storedFile
        return try body(file.descriptor.rawValue)
    }

    func timesWereSet() {
        timesAreStale.store(false, ordering: .releasing)
    }

    /// Something was written: the file has grown at least to a size.
    func wasChanged(sizeAtLeast size: UInt64) {
        currentSize.max(size, ordering: .acquiringAndReleasing)
        timesAreStale.store(true, ordering: .releasing)
        hasChanges.store(true, ordering: .releasing)
    }

    /// Something was written: the file has to be stored, and its times are to be the present's.
    func wasChanged(size: UInt64) {
        currentSize.store(size, ordering: .releasing)
        timesAreStale.store(true, ordering: .releasing)
        hasChanges.store(true, ordering: .releasing)
    }

    /// Everything is stored, in `file`.
    func wasStored(in file: SealedFile) {
        stored.withLock { $0 = file }
        isFresh.store(false, ordering: .releasing)
        hasChanges.store(false, ordering: .releasing)
    }

    /// Takes mode, owner and times of the stored file over to the one that replaces it.
    func copyMetadata(to descriptor: Int32) throws(Errno) {
        let old = try FileStatus(of: storedFile.descriptor.rawValue)
        let new = try FileStatus(of: descriptor)
        if old.user != new.user || old.group != new.group {
            try FileCall.setOwner(descriptor, user: old.user, group: old.group)
        }
        if old.mode & 0o7777 != new.mode & 0o7777 {
            try FileCall.setMode(descriptor, old.mode & 0o7777)
        }
        let isStale = timesAreStale.load(ordering: .acquiring)
        try FileCall.setTimes(
            descriptor,
            accessed: old.accessed,
            modified: isStale ? .now : old.modified
        )
    }

    /// The error for a stored file that cannot be read.
    func errno(for error: SealedFileError) -> Errno {
        storage.errno(for: error, named: name)
    }
}
