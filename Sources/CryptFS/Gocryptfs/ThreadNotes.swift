internal import Linux
internal import Synchronization
internal import VolumeFormat

/// Where one thread notes what it is about to write; only that thread uses it.
///
/// What is noted against a kill alone counts until it is written, so the next note takes its place. What is noted against
/// a loss of power counts until the file is on the disk: such notes lie one behind the other, and
/// where there is no room for another the files are synchronised, and the first one's place is taken again.
final class ThreadNotes {
    private let intents: WriteIntents
    private let file: Int32

    /// The part of the file that is the thread's, in bytes.
    private let part: Range<UInt64>

    /// Before this is what has to stay.
    private var next: UInt64

    /// Whose notes have to stay.
    private var journalled: [JournalledFile] = []

    /// Of which it is noted that they grow.
    private var growing: [JournalledFile] = []

    /// More files than this are not kept open for it.
    private static let fileLimit = 64

    init(_ intents: WriteIntents, in file: Int32, _ part: Range<UInt64>) {
        self.intents = intents
        self.file = file
        self.part = part
        next = part.lowerBound
    }

    deinit {
        // Before the lock file is removed.
        synchronizeFiles()
    }

    /// The longest run of blocks that one note has; what is longer is written in several.
    var longestCount: Int { part.count - WriteNote.headerCount }

    /// Notes blocks that are about to be written.
    ///
    /// - Parameters:
    ///   - sealed: Whole sealed blocks, the last of which may be the file's short one; at most ``longestCount``.
    ///   - offset: Where they belong, in bytes.
    ///   - target: Whose blocks they are.
    ///   - isDurable: Whether the note has to be on the disk.
    /// - Throws: Where it cannot be: `ENOSPC`, `EIO`.
    func note(
        _ sealed: UnsafeRawBufferPointer,
        at offset: UInt64,
        of target: GocryptfsFile,
        isDurable: Bool
    ) throws(Errno) {
        let note = try makeNote(.sealed, offset..<offset + UInt64(sealed.count), of: target)
        try add(note, sealed, of: target, isDurable: isDurable)
    }

    /// Notes that blocks are about to become zeros.
    ///
    /// - Parameters:
    ///   - range: Where they belong, in bytes.
    ///   - target: Whose blocks they are.
    ///   - isDurable: Whether the note has to be on the disk.
    /// - Throws: Where it cannot be: `ENOSPC`, `EIO`.
    func noteZeros(
        in range: Range<UInt64>,
        of target: GocryptfsFile,
        isDurable: Bool
    ) throws(Errno) {
        let note = try makeNote(.zeros, range, of: target)
        try add(note, of: target, isDurable: isDurable)
    }

    /// Notes that blocks are about to be appended: until they are there, there are zeros or nothing.
    ///
    /// - Parameters:
    ///   - range: Where they belong, in bytes.
    ///   - target: Whose blocks they are.
    ///   - isDurable: Whether the note has to be on the disk; then it goes for all that follow.
    /// - Throws: Where it cannot be: `ENOSPC`, `EIO`.
    func noteGrowth(
        in range: Range<UInt64>,
        of target: GocryptfsFile,
        isDurable: Bool
    ) throws(Errno) {
        guard isDurable else { return try noteZeros(in: range, of: target, isDurable: false) }
        let file = try target.journalled()
        guard !growing.contains(where: { $0 === file }) else { return }
        let all = range.lowerBound..<UInt64(Int64.max)
        try noteZeros(in: all, of: target, isDurable: true)
        file.noteGrowth()
        growing.append(file)
    }

    /// Notes that a file is on the disk as far as that, and only what comes may be zeros.
    ///
    /// - Parameters:
    ///   - end: How many bytes are stored.
    ///   - target: Which file.
    /// - Throws: Where the note cannot be on the disk: `ENOSPC`, `EIO`.
    func noteStored(upTo end: UInt64, of target: GocryptfsFile) throws(Errno) {
        try add(try makeNote(.stored, 0..<end, of: target), of: target, isDurable: true)
    }

    private func makeNote(
        _ content: WriteNote.Content,
        _ range: Range<UInt64>,
        of target: GocryptfsFile
    ) throws(Errno) -> WriteNote {
        guard let id = target.id else { throw .inputOutput }
        return WriteNote(
            number: intents.nextNumber(),
            id: id,
            inode: try target.inode(),
            offset: range.lowerBound,
            count: range.upperBound - range.lowerBound,
            content: content
        )
    }

    private func add(
        _ note: WriteNote,
        _ sealed: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        of target: GocryptfsFile,
        isDurable: Bool
    ) throws(Errno) {
        if note.noteCount > part.upperBound - next { synchronizeFiles() }
        guard isDurable else {
            _ = write(note, sealed)
            return
        }
        keepNotes(of: try target.journalled())
        guard try write(note, sealed).get() == note.noteCount else { throw .noSpace }
        // RWF_DSYNC would do for this range alone, but not where the storage is on FUSE.
        try FileCall.synchronize(file, dataOnly: true)
        next += WriteIntents.roundedToPages(note.noteCount)
    }

    /// Writes a note.
    ///
    /// Against a kill alone what fails is passed over: the write is made without, as the file system below would have
    /// it. Killed in the middle of this, the volume is as it was, and what is noted no more than half does not
    /// authenticate.
    ///
    /// - Returns: How many bytes were written.
    private func write(_ note: WriteNote, _ sealed: UnsafeRawBufferPointer) -> Result<Int, Errno> {
        var header = InlineArray<64, UInt8>(repeating: 0)
        return withUnsafeMutableBytes(of: &header) { header in
            note.write(into: header)
            return Result { () throws(Errno) in
                try FileCall.write(file, at: next, UnsafeRawBufferPointer(header), sealed)
            }
        }
    }
}

// Notes that have to stay.
extension ThreadNotes {
    private func keepNotes(of target: JournalledFile) {
        guard !journalled.contains(where: { $0 === target }) else { return }
        if journalled.count == Self.fileLimit { synchronizeFiles() }
        journalled.append(target)
    }

    private func synchronizeFiles() {
        for file in journalled { file.synchronize() }
        journalled.removeAll(keepingCapacity: true)
        growing.removeAll(keepingCapacity: true)
        next = part.lowerBound
    }
}

/// A file that has to be on the disk before what is noted of it is written over, open or not.
final class JournalledFile: Sendable {
    private struct State {
        var descriptor: HeldDirectory?
        var failure: Errno?
        var grows = false
    }

    private let state: Mutex<State>

    init(_ descriptor: consuming OwnedDescriptor) {
        state = Mutex(State(descriptor: HeldDirectory(descriptor)))
    }

    /// Waits until it is on the disk.
    func synchronize() {
        guard let held = state.withLock({ $0.descriptor }) else { return }
        do throws(Errno) {
            try FileCall.synchronize(held.descriptor.rawValue, dataOnly: true)
        } catch {
            // The kernel tells of it once, and whoever asks for it next has to know.
            Log.warning("A file could not be written to the disk", ["error": error.description])
            state.withLock { $0.failure = error }
        }
    }

    /// Whether it is noted that it grows.
    var grows: Bool { state.withLock { $0.grows } }

    /// It is noted that it grows.
    func noteGrowth() {
        state.withLock { $0.grows = true }
    }

    /// Lets go of a file that was removed, so that its room is free.
    func forget() {
        state.withLock { $0.descriptor = nil }
    }

    /// Why ``synchronize()`` failed, for whoever synchronises it next; nil where it did not.
    func takeFailure() -> Errno? {
        state.withLock { state in
            defer { state.failure = nil }
            return state.failure
        }
    }
}
