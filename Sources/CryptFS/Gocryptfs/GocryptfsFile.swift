internal import Linux
internal import Synchronization
internal import VolumeFormat

/// The content of a file of a gocryptfs volume: blocks of 4096 bytes, each changed in place under a
/// fresh nonce.
///
/// Whoever reads or changes blocks holds a range of them, see ``BlockRangeLock``; the file's number
/// changes with all of them held, and so does its length, unless whole blocks are appended.
final class GocryptfsFile: FileContent, @unchecked Sendable {
    // Unchecked: `id` is read with a range held and written with all blocks held.

    let storage: GocryptfsStorage
    let name: FileName
    let descriptor: OwnedDescriptor
    let ranges = BlockRangeLock()

    /// What every block is bound to; nil while there is no header, because there is no content.
    var id: GocryptfsFileID?

    /// The header cannot be read: the file is damaged until it is emptied.
    private(set) var isDamaged = false

    /// Parts of the storage may be missing below: writing into them can fail for want of room.
    let hasHoles: Atomic<Bool>

    /// Whether there may be content that was promised to stay, whatever happens to what is written since.
    private let isPromised: Atomic<Bool>

    /// Once its blocks were noted in the journal.
    private let journalledFile = Mutex<JournalledFile?>(nil)

    private let inodeNumber: Atomic<UInt64>
    private let length: Atomic<UInt64>
    private let habit = SynchronizationHabit()
    private let largeFileHabit = LargeFileHabit()

    /// A file that was just made.
    init(
        new descriptor: consuming OwnedDescriptor,
        named name: FileName,
        storage: GocryptfsStorage
    ) {
        self.storage = storage
        self.name = name
        self.descriptor = descriptor
        length = Atomic(0)
        hasHoles = Atomic(false)
        isPromised = Atomic(false)
        inodeNumber = Atomic(0)
    }

    /// A stored file.
    ///
    /// - Throws: What reading failed with; not for a damaged one, which can be emptied or removed.
    init(
        opening descriptor: consuming OwnedDescriptor,
        named name: FileName,
        storage: GocryptfsStorage
    ) throws(Errno) {
        let status = try FileStatus(of: descriptor.rawValue)
        guard status.kind == .regular else { throw .inputOutput }
        self.storage = storage
        self.name = name
        length = Atomic(storage.geometry.shownCount(forStored: status.size))
        hasHoles = Atomic(status.blocks * 512 < status.size)
        isPromised = Atomic(true)
        inodeNumber = Atomic(status.identity.number)
        self.descriptor = descriptor
        guard status.size > 0 else { return }
        try readHeader()
        guard try completeInterruptedWrites() else { return }
        let completed = try FileStatus(of: self.descriptor.rawValue).size
        length.store(storage.geometry.shownCount(forStored: completed), ordering: .releasing)
    }

    deinit {
        // Removed: its room is not to wait for the journal.
        if let file = knownJournalled,
            (try? FileStatus(of: descriptor.rawValue).linkCount) == 0
        {
            file.forget()
        }
    }

    /// Somebody else may have written since; to be called with all blocks held.
    func lookAgain() throws(Errno) {
        let status = try FileStatus(of: descriptor.rawValue)
        length.store(storage.geometry.shownCount(forStored: status.size), ordering: .releasing)
        if status.size > 0 {
            try readHeader()
        } else {
            id = nil
            isDamaged = false
        }
    }

    private func readHeader() throws(Errno) {
        var header = InlineArray<18, UInt8>(repeating: 0)
        let file = descriptor.rawValue
        let result = try withUnsafeMutableBytes(of: &header) { header throws(Errno) in
            let count = try FileCall.read(file, at: 0, into: header)
            return Result { () throws(VolumeFormatError) in
                try GocryptfsFileHeader(
                    parsing: UnsafeRawBufferPointer(rebasing: header[..<count])
                )
            }
        }
        switch result {
        case .success(let header):
            id = header.id
            isDamaged = false
        case .failure(let error):
            isDamaged = true
            _ = storage.errno(for: error, named: name)
        }
    }

    var size: UInt64 { length.load(ordering: .acquiring) }

    /// Everything is stored as it is written.
    var isDirty: Bool { false }

    func withMetadata<Result>(
        _ body: (Int32) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try body(descriptor.rawValue)
    }

    func timesWereSet() {}

    /// The disk works while the caller comes to asking for it.
    func wasWritten(at offset: UInt64, count: Int) {
        let block = UInt64(GocryptfsGeometry.blockCount)
        let first = offset / block
        let end = (offset + UInt64(count) + block - 1) / block
        let sealed = UInt64(storage.geometry.sealedBlockCount)
        let start = UInt64(GocryptfsGeometry.headerCount) + first * sealed
        let length = Int((end - first) * sealed)
        if habit.noteWrite() {
            FileCall.startWriting(descriptor.rawValue, at: start, count: length)
            return
        }
        largeFileHabit.noteWrite(at: start, count: length) { range in
            FileCall.startWriting(
                descriptor.rawValue,
                at: range.lowerBound,
                count: Int(range.upperBound - range.lowerBound)
            )
        }
    }

    func synchronize(dataOnly: Bool) throws(Errno) {
        if storage.keepsJournal, !isPromised.load(ordering: .relaxed) {
            // What is being written is not in the journal; what comes is.
            try withAllBlocksHeld { () throws(Errno) in
                isPromised.store(true, ordering: .relaxed)
            }
        }
        try FileCall.synchronize(descriptor.rawValue, dataOnly: dataOnly)
        if let failure = knownJournalled?.takeFailure() { throw failure }
        habit.noteSynchronization()
        largeFileHabit.noteSynchronization()
    }

    func commit(durably: Bool, to place: some ContentPlace, scratch: Scratch) throws(Errno) {
        if durably { try synchronize(dataOnly: false) }
    }

    /// Whole blocks were appended, or the last one became longer.
    func grew(toAtLeast size: UInt64) {
        length.max(size, ordering: .acquiringAndReleasing)
    }

    /// The length was set, with all blocks held.
    func wasResized(to size: UInt64) {
        length.store(size, ordering: .releasing)
        if size == 0 {
            id = nil
            isDamaged = false
        }
    }

    /// Runs `body` with all blocks held, and what is known of the file up to date.
    func withAllBlocks<Result>(_ body: () throws(Errno) -> Result) throws(Errno) -> Result {
        try withAllBlocksHeld { () throws(Errno) in
            if storage.isShared { try lookAgain() }
            return try body()
        }
    }

    private func withAllBlocksHeld<Result>(
        _ body: () throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let slot = ranges.acquire(
            BlockRangeLock.Range(first: 0, last: .max, isExclusive: true)
        )
        defer { ranges.release(slot) }
        return try body()
    }

    /// The stored file's inode number.
    func inode() throws(Errno) -> UInt64 {
        let known = inodeNumber.load(ordering: .relaxed)
        if known != 0 { return known }
        let number = try FileStatus(of: descriptor.rawValue).identity.number
        inodeNumber.store(number, ordering: .relaxed)
        return number
    }

    /// Whether what is noted of it has to be on the disk before it is written; to be called with what is written held.
    var needsJournal: Bool { storage.keepsJournal && isPromised.load(ordering: .relaxed) }

    /// The file for the journal; nil where nothing of it is there.
    var knownJournalled: JournalledFile? { journalledFile.withLock { $0 } }

    /// The file for the journal, which may have to outlive this.
    func journalled() throws(Errno) -> JournalledFile {
        try journalledFile.withLock { file throws(Errno) in
            if let file { return file }
            let new = JournalledFile(try descriptor.duplicate())
            file = new
            return new
        }
    }

    /// Runs a call of the format's; the error of one that fails.
    func translating<Result>(
        _ body: () throws(VolumeFormatError) -> Result
    ) throws(Errno) -> Result {
        do throws(VolumeFormatError) {
            return try body()
        } catch {
            throw storage.errno(for: error, named: name)
        }
    }
}
