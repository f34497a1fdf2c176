internal import Linux

/// The content of one open file.
///
/// Every call may come from several threads at once.
protocol FileContent: AnyObject, Sendable {
    /// Length in bytes.
    var size: UInt64 { get }

    /// Whether there is something that ``commit(durably:to:scratch:)`` has yet to store.
    var isDirty: Bool { get }

    /// Runs `body` with a descriptor of the stored file, for its mode, owner and times.
    func withMetadata<Result>(
        _ body: (Int32) throws(Errno) -> Result
    ) throws(Errno) -> Result

    /// Reads.
    ///
    /// - Parameters:
    ///   - offset: From where, in bytes.
    ///   - count: At most ``Scratch/requestLimit``.
    ///   - scratch: Holds the result until it is used again.
    /// - Returns: As many bytes as asked for, fewer only at the end.
    /// - Throws: `EIO` where a part does not authenticate.
    func read(
        at offset: UInt64,
        count: Int,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer

    /// Writes, and grows where necessary; the bytes are not in the scratch's `sealed` nor `block`.
    func write(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        scratch: Scratch
    ) throws(Errno)

    /// Cuts off, or grows with zeros.
    func truncate(to size: UInt64, scratch: Scratch) throws(Errno)

    /// Takes room for a range, or gives it back.
    ///
    /// - Throws: `EOPNOTSUPP`, `ENOSPC`.
    func allocate(
        at offset: UInt64,
        count: UInt64,
        _ allocation: FileCall.Allocation,
        scratch: Scratch
    ) throws(Errno)

    /// Finds the next data or hole.
    ///
    /// - Parameters:
    ///   - target: Which of them.
    ///   - offset: From where on, in bytes.
    /// - Returns: Where it begins. What is a hole reads as zeros; not all zeros are holes.
    /// - Throws: `ENXIO` at the end, and where there is no more data.
    func find(_ target: FileCall.SeekTarget, from offset: UInt64) throws(Errno) -> UInt64

    /// A write was answered: what it wrote may be on its way to the disk from now on.
    func wasWritten(at offset: UInt64, count: Int)

    /// Waits until all that was stored is on the disk.
    ///
    /// - Parameter dataOnly: Perhaps without its times.
    /// - Throws: ``Errno``, also where something could not be written since the last time.
    func synchronize(dataOnly: Bool) throws(Errno)

    /// The file's time of modification was set from outside: storing is not to change it.
    func timesWereSet()

    /// Stores what changed, if durably so that it survives a loss of power.
    ///
    /// On failure everything is as it was and the content stays usable.
    func commit(durably: Bool, to place: some ContentPlace, scratch: Scratch) throws(Errno)
}

/// Where a content is stored, known to the file system, which renames and removes.
protocol ContentPlace {
    /// Runs `body` while the content's name cannot change, or not at all when it has none any more.
    ///
    /// - Parameter body: Gets the directory and the name there; returns which file bears the name
    ///   from now on.
    /// - Returns: Whether there is a name.
    /// - Throws: What `body` failed with.
    func replace(
        _ body: (Int32, FileName) throws(Errno) -> FileIdentity
    ) throws(Errno) -> Bool

    /// Waits until the directory with the content's name is on the disk.
    func synchronizeDirectory() throws(Errno)
}
