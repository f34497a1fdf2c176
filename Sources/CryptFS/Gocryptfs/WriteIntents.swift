internal import Glibc
internal import Linux
internal import Synchronization
internal import VolumeFormat

/// What is about to be written over, kept beside the volume, so that a write which a kill cuts short is completed.
///
/// A block never lies in one page, and a process that is killed may have written one of its pages and not the other:
/// neither the old nor the new one could be read. So each thread first writes the sealed blocks into a slot of
/// the writer's lock file. Nothing of it has to reach the disk: the kernel's memory outlives the process, and
/// against a loss of power, which takes both, it would be of no use. A slot is
///
/// | offset | bytes | content, little-endian |
/// | --- | --- | --- |
/// | 0 | 8 | `SSWRITE1` |
/// | 8 | 8 | a number that grows from write to write |
/// | 16 | 16 | the file's ``GocryptfsFileID`` |
/// | 32 | 8 | where the blocks belong in the stored file, in bytes |
/// | 40 | 8 | how many bytes they are |
/// | 48 | 16 | zeros |
/// | 64 | | the sealed blocks |
final class WriteIntents: Sendable {
    private let lock: WriterLock
    private let lastNumber: Atomic<UInt64>
    private let nextSlot: Atomic<Int>
    private let interrupted: Mutex<[InterruptedWrite]>
    private let hasSome: Atomic<Bool>

    /// Slots before this one are the last writers' and stay as they are until they are seen to.
    private let firstSlot: Int

    /// How many bytes one slot takes.
    private static let slotCount = 128 << 10
    private static let headerCount = 64
    private static let magic = UInt64(littleEndian: 0x3145_5449_5257_5353)

    /// As many threads as serve, and what some kills before left and nobody has asked for since.
    private static let slotLimit = 64

    /// The longest run of blocks that is kept; what is longer is written in several.
    static let longestCount = slotCount - headerCount

    /// Reads what a writer that was killed was about to write.
    ///
    /// - Parameter lock: The storage's, which keeps what the last writer left if that was since the machine was
    ///   started; held as long as this is there.
    init(_ lock: WriterLock) {
        self.lock = lock
        var found: [InterruptedWrite] = []
        var used = 0
        for slot in 0..<Self.slotLimit {
            guard let write = Self.read(slot, of: lock.noteFile) else { continue }
            found.append(write)
            used = slot + 1
        }
        // Unless only few would remain.
        firstSlot = used > Self.slotLimit * 3 / 4 ? 0 : used
        nextSlot = Atomic(firstSlot)
        lastNumber = Atomic(found.map(\.number).max() ?? 0)
        hasSome = Atomic(!found.isEmpty)
        interrupted = Mutex(found.sorted { $0.number > $1.number })
    }

    deinit {
        // This writer's own have all been made.
        lock.leaveNotes(before: hasInterruptedWrites ? Self.offset(of: firstSlot) : 0)
    }

    /// A slot for one thread; nil when there is none left.
    func claimSlot() -> Int? {
        let slot = nextSlot.wrappingAdd(1, ordering: .relaxed).oldValue
        return slot < Self.slotLimit ? slot : nil
    }

    /// Keeps what a thread is about to write.
    ///
    /// What fails is not told: the write is made without, as the file system below would have it.
    ///
    /// - Parameters:
    ///   - sealed: Whole sealed blocks, the last of which may be the file's short one; at most ``longestCount``.
    ///   - offset: Where they belong, in bytes.
    ///   - id: Whose blocks they are.
    ///   - slot: The thread's.
    func note(
        _ sealed: UnsafeRawBufferPointer,
        at offset: UInt64,
        of id: GocryptfsFileID,
        in slot: Int
    ) {
        guard (1...Self.longestCount).contains(sealed.count) else { return }
        let number = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        var header = InlineArray<64, UInt8>(repeating: 0)
        withUnsafeMutableBytes(of: &header) { header in
            header.storeBytes(of: Self.magic.littleEndian, as: UInt64.self)
            header.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt64.self)
            id.withUnsafeBytes { id in
                UnsafeMutableRawBufferPointer(rebasing: header[16..<32]).copyMemory(from: id)
            }
            header.storeBytes(of: offset.littleEndian, toByteOffset: 32, as: UInt64.self)
            let count = UInt64(sealed.count)
            header.storeBytes(of: count.littleEndian, toByteOffset: 40, as: UInt64.self)
            // Killed in the middle, the volume is as it was, and what is noted no more than half does not authenticate.
            FileCall.writeOnce(
                lock.noteFile,
                at: Self.offset(of: slot),
                UnsafeRawBufferPointer(header),
                sealed
            )
        }
    }

    /// Whether there is anything left to be seen to.
    var hasInterruptedWrites: Bool { hasSome.load(ordering: .relaxed) }

    /// Sees to what was about to be written to a file when its writer was killed.
    ///
    /// Nobody else sees to the same meanwhile: whoever opens the file waits, so that nothing newer is written over.
    ///
    /// - Parameters:
    ///   - id: Which file.
    ///   - complete: Is given the writes, the latest first; they are forgotten unless it fails.
    /// - Returns: How many blocks `complete` says it wrote; 0 where there is nothing to see to.
    /// - Throws: What `complete` throws.
    func seeToInterruptedWrites(
        to id: GocryptfsFileID,
        _ complete: ([InterruptedWrite]) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        guard hasInterruptedWrites else { return 0 }
        return try interrupted.withLock { writes throws(Errno) in
            let own = writes.filter { $0.id == id }
            guard !own.isEmpty else { return 0 }
            let completed = try complete(own)
            for write in own where write.slot < firstSlot { empty(write.slot) }
            writes.removeAll { $0.id == id }
            hasSome.store(!writes.isEmpty, ordering: .relaxed)
            return completed
        }
    }

    private func empty(_ slot: Int) {
        let nothing = InlineArray<8, UInt8>(repeating: 0)
        nothing.span.withUnsafeBytes { nothing in
            try? FileCall.write(lock.noteFile, at: Self.offset(of: slot), nothing)
        }
    }

    private static func offset(of slot: Int) -> UInt64 {
        WriterLock.noteOffset + UInt64(slot * slotCount)
    }

    private static func read(_ slot: Int, of file: Int32) -> InterruptedWrite? {
        var header = InlineArray<64, UInt8>(repeating: 0)
        let start = offset(of: slot)
        let found = withUnsafeMutableBytes(of: &header) { header -> InterruptedWrite? in
            guard (try? FileCall.read(file, at: start, into: header)) == headerCount,
                UInt64(littleEndian: header.loadUnaligned(as: UInt64.self)) == magic,
                let id = GocryptfsFileID(UnsafeRawBufferPointer(rebasing: header[16..<32]))
            else { return nil }
            func number(at offset: Int) -> UInt64 {
                UInt64(littleEndian: header.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            guard (1...UInt64(longestCount)).contains(number(at: 40)) else { return nil }
            return InterruptedWrite(
                slot: slot,
                number: number(at: 8),
                id: id,
                offset: number(at: 32),
                sealed: [UInt8](repeating: 0, count: Int(number(at: 40)))
            )
        }
        guard var write = found else { return nil }
        let count = write.sealed.withUnsafeMutableBytes { sealed in
            try? FileCall.read(file, at: start + UInt64(headerCount), into: sealed)
        }
        return count == write.sealed.count ? write : nil
    }
}

/// Sealed blocks that were about to be written.
struct InterruptedWrite: Sendable {
    /// Where it was noted.
    let slot: Int

    /// Which of several is the latest.
    let number: UInt64
    let id: GocryptfsFileID

    /// Where they belong in the stored file, in bytes.
    let offset: UInt64
    var sealed: [UInt8]
}
