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
    private let file: OwnedDescriptor

    /// The part of the file that is the thread's, in bytes.
    private var part: Range<UInt64>

    /// Before this is what has to stay.
    private var next: UInt64

    /// Whose notes have to stay.
    private var journalled: [JournalledFile] = []

    /// Where notes are that make somebody read a range, and how many bytes of ranges that is.
    private var (rangeNotes, rangeCount): ([UInt64], UInt64) = ([], 0)

    /// More files than this are not kept open for it.
    private static let fileLimit = 16

    /// More of them, or more bytes, would take long to read.
    private static let rangeNoteLimit = 64

    /// The longest range that one note has, in bytes.
    static let longestRange: UInt64 = 64 << 20

    /// - Parameters:
    ///   - intents: Those of the volume.
    ///   - file: The lock file, opened for this alone: what could not be written is told once for each opening.
    ///   - part: The part of it that is the thread's.
    init(_ intents: WriteIntents, in file: consuming OwnedDescriptor, _ part: Range<UInt64>) {
        self.intents = intents
        self.file = file
        self.part = part
        next = part.lowerBound
    }

    deinit {
        // Before the lock file is removed.
        try? synchronizeFiles()
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

    /// Notes that there are zeros, or nothing, until blocks are appended, or that they are about to become zeros.
    ///
    /// - Parameters:
    ///   - range: Where they belong, in bytes; at most ``longestRange``.
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
            range: range,
            content: content
        )
    }

    private func add(
        _ note: WriteNote,
        _ sealed: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        of target: GocryptfsFile,
        isDurable: Bool
    ) throws(Errno) {
        let isRange = note.content == .zeros
        if note.noteCount > part.upperBound - next || rangeNotes.count == Self.rangeNoteLimit
            || isRange && rangeCount + note.count > Self.longestRange
        {
            try synchronizeFiles()
        }
        guard isDurable else {
            _ = write(note, sealed)
            return
        }
        try keepNotes(of: try target.journalled())
        guard try write(note, sealed).get() == note.noteCount else { throw .noSpace }
        // RWF_DSYNC would do for this range alone, but not where the storage is on FUSE.
        try FileCall.synchronize(file.rawValue, dataOnly: true)
        if isRange {
            rangeNotes.append(next)
            rangeCount += note.count
        }
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
                try FileCall.write(file.rawValue, at: next, UnsafeRawBufferPointer(header), sealed)
            }
        }
    }
}

// Notes that have to stay.
extension ThreadNotes {
    private func keepNotes(of target: JournalledFile) throws(Errno) {
        guard !journalled.contains(where: { $0 === target }) else { return }
        if journalled.count == Self.fileLimit { try synchronizeFiles() }
        journalled.append(target)
    }

    private func synchronizeFiles() throws(Errno) {
        var (wasRemoved, failure): (Bool, Errno?) = (false, nil)
        for file in journalled {
            do throws(Errno) {
                if try !file.synchronize() { wasRemoved = true }
            } catch {
                failure = failure ?? error
            }
        }
        do throws(Errno) {
            if let failure { throw failure }
            // Or a loss of power brings it back.
            if wasRemoved { try WriteIntents.synchronizeNames(by: file.rawValue) }
            // Nobody writes over all that is behind the next note.
            for place in rangeNotes { try WriteIntents.forget(place, in: file.rawValue) }
        } catch {
            // The kernel says so once, and holds the pages for clean then: what is noted is all there is.
            intents.keep(part)
            part = try intents.claimPart()
            beginAnew()
            throw error
        }
        beginAnew()
    }

    private func beginAnew() {
        journalled.removeAll(keepingCapacity: true)
        rangeNotes.removeAll(keepingCapacity: true)
        rangeCount = 0
        next = part.lowerBound
    }
}

/// A file that has to be on the disk before what is noted of it is written over, open or not.
final class JournalledFile: Sendable {
    private struct State {
        var descriptor: HeldDirectory?
        var failure: Errno?
    }

    private let state: Mutex<State>

    init(_ descriptor: consuming OwnedDescriptor) {
        state = Mutex(State(descriptor: HeldDirectory(descriptor)))
    }

    /// Waits until it is on the disk.
    ///
    /// - Returns: Whether it is; false where it was removed.
    /// - Throws: Where it could not be written, which ``takeFailure()`` tells, too.
    func synchronize() throws(Errno) -> Bool {
        // Held to the end: the kernel tells of it once, and whoever asks for it next has to know.
        try state.withLock { state throws(Errno) in
            guard let held = state.descriptor else { return false }
            do throws(Errno) {
                try FileCall.synchronize(held.descriptor.rawValue, dataOnly: true)
                return true
            } catch {
                Log.warning(
                    "A file could not be written to the disk",
                    ["error": error.description]
                )
                state.failure = error
                throw error
            }
        }
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
