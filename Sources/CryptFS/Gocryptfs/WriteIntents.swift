internal import Glibc
internal import Linux
internal import Synchronization
internal import VolumeFormat

/// What is about to be written, kept beside the volume, so that a write which is cut short is completed.
///
/// A block never lies in one page, and a process that is killed, or a machine that loses its power, may have written
/// one of its pages and not the other: neither the old nor the new one could be read. So each thread first notes
/// the sealed blocks in a part of the writer's lock file, see ``ThreadNotes`` and ``WriteNote``.
///
/// Against a kill nothing of it has to reach the disk: the kernel's memory outlives the process. As a journal,
/// against a loss of power, a note is on the disk before what it is of, and stays until that is.
final class WriteIntents: Sendable {
    /// Whether a loss of power is to leave nothing torn either.
    let isJournal: Bool

    /// Whether what is noted counts after a loss of power: by this writer, or the one before.
    var areDurable: Bool { isJournal || lock.followsJournal }

    private let lock: WriterLock
    private let lastNumber: Atomic<UInt64>
    private let nextPart = Atomic<UInt64>(0)

    /// What is before this in the file is for the next writer, too.
    private let keptEnd = Atomic<UInt64>(0)
    private let pending: Mutex<[PendingNote]>
    private let hasPending: Atomic<Bool>

    /// What is before this in the file is the last writers', and stays as it is until it is seen to.
    private let start: Atomic<UInt64>

    /// A note of a writer that was cut short.
    private struct PendingNote {
        let note: WriteNote

        /// Where in the lock file.
        let place: UInt64

        /// What it is of could not be brought to the disk: it stays for the next writer.
        var isStuck = false

        /// Where it ends there.
        var end: UInt64 { place + WriteIntents.roundedToPages(note.noteCount) }
    }

    /// How many bytes of the file a thread has, and how many of them there may be: as many as serve, and what
    /// some kills before left and nobody has asked for since.
    private static let (partCount, journalPartCount): (UInt64, UInt64) = (128 << 10, 2 << 20)
    private static let partLimit: UInt64 = 64

    /// What a thread has of a journal in any case, and how many threads: as many as a session has.
    private static let (reservedCount, reservedParts): (UInt64, UInt64) = (256 << 10, 16)

    /// Notes begin at multiples of this: none is written into a page that has another.
    static let page: UInt64 = 4096

    /// Reads what a writer that was cut short was about to write.
    ///
    /// - Parameters:
    ///   - lock: The storage's, which keeps what the last writer left if it counts; held as long as this is there.
    ///   - isJournal: Whether a loss of power is to leave nothing torn either.
    init(_ lock: WriterLock, isJournal: Bool) {
        self.lock = lock
        self.isJournal = isJournal
        let found = Self.read(lock.noteFile)
        let part = isJournal ? Self.journalPartCount : Self.partCount
        let end = found.map(\.end).max() ?? WriterLock.noteOffset
        let used = (end - WriterLock.noteOffset + part - 1) / part * part
        // Unless only few would remain.
        let most = (lock.followsJournal ? Self.journalPartCount : part) * Self.partLimit
        start = Atomic(WriterLock.noteOffset + (used > most * 3 / 4 ? 0 : used))
        lastNumber = Atomic(found.map(\.note.number).max() ?? 0)
        hasPending = Atomic(!found.isEmpty)
        pending = Mutex(found.sorted { $0.note.number > $1.note.number })
    }

    deinit {
        // This writer's own have all been made.
        let end = pending.withLock { $0.map(\.end).max() } ?? 0
        lock.leaveNotes(before: max(end, keptEnd.load(ordering: .relaxed)))
    }

    /// Where one thread notes what it writes; nil when there is no room left.
    func claim() -> ThreadNotes? {
        guard let part = try? claimPart(), let file = lock.openNotes() else { return nil }
        return ThreadNotes(self, in: file, part)
    }

    /// A part of the file that nobody has yet.
    ///
    /// - Throws: `ENOSPC` where there is none left.
    func claimPart() throws(Errno) -> Range<UInt64> {
        let index = nextPart.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < Self.partLimit else { throw .noSpace }
        let part = part(index)
        if isJournal, !reserve(part) {
            return part.lowerBound..<part.lowerBound + Self.reservedCount
        }
        return part
    }

    /// Leaves a part as it is, for the next writer.
    func keep(_ part: Range<UInt64>) {
        keptEnd.max(part.upperBound, ordering: .relaxed)
    }

    /// Waits until the disk has every change of a name so far; the file, for notes, gets new times.
    ///
    /// A disk gets such changes in their order, and times are one.
    static func synchronizeNames(by file: Int32) throws(Errno) {
        try FileCall.setTimes(file, accessed: .now, modified: .now)
        try FileCall.synchronize(file)
    }

    /// The same, and all that was written.
    func synchronizeAll() throws(Errno) {
        try FileCall.synchronizeFileSystem(of: lock.noteFile)
        // Not every file system that lies on another passes that on.
        try Self.synchronizeNames(by: lock.noteFile)
    }

    /// Takes room for a journal, as long as there is some: on a full disk things are written over, too.
    func reserveRoom() {
        for index in 0..<Self.reservedParts {
            let start = part(index).lowerBound
            guard reserve(start..<start + Self.reservedCount) else { return }
        }
    }

    private func part(_ index: UInt64) -> Range<UInt64> {
        let count = isJournal ? Self.journalPartCount : Self.partCount
        let first = start.load(ordering: .relaxed) + index * count
        return first..<first + count
    }

    /// Takes room.
    ///
    /// - Returns: Whether there is some; yes where the file system cannot tell.
    private func reserve(_ part: Range<UInt64>) -> Bool {
        do throws(Errno) {
            let count = part.upperBound - part.lowerBound
            try FileCall.allocate(lock.noteFile, at: part.lowerBound, count: count, [])
            return true
        } catch {
            return error != .noSpace
        }
    }

    /// The next note's.
    func nextNumber() -> UInt64 {
        lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// The longest run of blocks that one note has.
    private static var longest: UInt64 { journalPartCount - UInt64(WriteNote.headerCount) }

    private static func read(_ file: Int32) -> [PendingNote] {
        guard let end = try? FileStatus(of: file).size else { return [] }
        var header = InlineArray<64, UInt8>(repeating: 0)
        var found: [PendingNote] = []
        var place = WriterLock.noteOffset
        let limit = min(end, place + partLimit * journalPartCount)
        while place < limit {
            let note = withUnsafeMutableBytes(of: &header) { header -> WriteNote? in
                guard (try? FileCall.read(file, at: place, into: header)) == header.count else {
                    return nil
                }
                return WriteNote(parsing: UnsafeRawBufferPointer(header), longest: longest)
            }
            if let note {
                found.append(PendingNote(note: note, place: place))
                place = found[found.count - 1].end
            } else {
                place += page
            }
        }
        return found
    }

    static func roundedToPages(_ count: UInt64) -> UInt64 {
        (count + page - 1) / page * page
    }
}

// What has yet to be seen to.
extension WriteIntents {
    /// Whether there is anything.
    var hasPendingNotes: Bool { hasPending.load(ordering: .relaxed) }

    /// The inode numbers of the files it is of.
    var pendingInodes: Set<UInt64> {
        pending.withLock { Set($0.map(\.note.inode)) }
    }

    /// Which file has an inode number, as the latest note of it says.
    func pendingFile(inode: UInt64) -> GocryptfsFileID? {
        pending.withLock { $0.first { $0.note.inode == inode }?.note.id }
    }

    /// Sees to what was about to be written to a file when its writer was cut short.
    ///
    /// Nobody else sees to the same meanwhile: whoever opens the file waits, so that nothing newer is written over.
    ///
    /// - Parameters:
    ///   - id: Which file.
    ///   - complete: Is given the notes, the latest first; returns how many blocks it wrote.
    ///   - synchronize: Brings that to the disk, after which they are forgotten.
    /// - Returns: How many blocks `complete` wrote; 0 where there is nothing to see to.
    /// - Throws: What `complete` throws.
    func seeToNotes(
        of id: GocryptfsFileID,
        _ complete: ([InterruptedWrite]) throws(Errno) -> Int,
        synchronizing synchronize: () throws(Errno) -> Void
    ) throws(Errno) -> Int {
        guard hasPendingNotes else { return 0 }
        return try pending.withLock { pending throws(Errno) in
            let own = pending.filter { $0.note.id == id && !$0.isStuck }
            guard !own.isEmpty else { return 0 }
            let completed = try complete(
                own.map { InterruptedWrite(note: $0.note, file: lock.noteFile, place: $0.place) }
            )
            if completed > 0 || areDurable {
                do throws(Errno) {
                    // What needed nothing may still be in the kernel's memory alone.
                    try synchronize()
                } catch {
                    Log.warning(
                        "A file could not be written to the disk",
                        ["error": error.description]
                    )
                    for index in pending.indices where pending[index].note.id == id {
                        pending[index].isStuck = true
                    }
                }
            }
            forget(&pending) { $0.note.id == id }
            return completed
        }
    }

    /// Forgets what is of files that are known not to be there; before any thread notes something.
    func forgetNotes(of inodes: Set<UInt64>) {
        pending.withLock { pending in
            forget(&pending) { inodes.contains($0.note.inode) }
            guard pending.isEmpty else { return }
            start.store(WriterLock.noteOffset, ordering: .relaxed)
            lock.dropNotes()
        }
    }

    private func forget(_ pending: inout [PendingNote], where predicate: (PendingNote) -> Bool) {
        // What is behind it is this writer's own by now.
        let start = start.load(ordering: .relaxed)
        func isDone(_ note: PendingNote) -> Bool { !note.isStuck && predicate(note) }
        for note in pending where isDone(note) && note.place < start {
            try? Self.forget(note.place, in: lock.noteFile)
        }
        pending.removeAll(where: isDone)
        hasPending.store(!pending.isEmpty, ordering: .relaxed)
    }

    /// Has a note be none any more.
    static func forget(_ place: UInt64, in file: Int32) throws(Errno) {
        let nothing = InlineArray<8, UInt8>(repeating: 0)
        try nothing.span.withUnsafeBytes { nothing throws(Errno) in
            try FileCall.write(file, at: place, nothing)
        }
    }
}

/// Blocks that were about to be written.
struct InterruptedWrite {
    let note: WriteNote

    /// Where that lies.
    fileprivate let file: Int32
    fileprivate let place: UInt64

    /// Reads the sealed blocks; none where they are not known.
    func sealed() throws(Errno) -> [UInt8] {
        guard note.content == .sealed else { return [] }
        var sealed = [UInt8](repeating: 0, count: Int(note.count))
        let start = place + UInt64(WriteNote.headerCount)
        let count = try sealed.withUnsafeMutableBufferPointer { sealed throws(Errno) in
            try FileCall.read(file, at: start, into: UnsafeMutableRawBufferPointer(sealed))
        }
        return Array(sealed[..<count])
    }
}
