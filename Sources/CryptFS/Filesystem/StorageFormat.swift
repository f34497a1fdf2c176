internal import Linux

/// What a volume format does for the file system above it.
///
/// The file system knows inodes, handles and the kernel; a format knows how names and contents lie
/// in the storage. Neither knows the other's side: what crosses is in this file.
protocol StorageFormat: AnyObject, Sendable {
    /// What names in one directory depend on, such as an initialisation vector; loaded when the
    /// directory is opened.
    associatedtype NameContext: Sendable

    /// A file's content.
    associatedtype Content: FileContent

    /// A directory of the storage, ready for names to be found in it.
    typealias Directory = StorageDirectory<NameContext>

    /// The longest name a file can have, in bytes.
    var nameLimit: Int { get }

    /// Loads what names in a directory depend on.
    func nameContext(ofDirectory descriptor: Int32) throws(Errno) -> NameContext

    /// How a name is stored.
    ///
    /// - Throws: `ENAMETOOLONG`, `EINVAL`.
    func storedName(
        of name: [UInt8],
        _ kind: EntryKind,
        in directory: Directory
    ) throws(Errno) -> FileName

    /// Finds a name.
    ///
    /// - Throws: `ENOENT`, also where no file of the volume can be called that.
    func entry(named name: [UInt8], in directory: Directory) throws(Errno) -> StoredEntry

    /// What a stored name of the kind the listing says is called; nil for what is none of the
    /// volume's.
    func listedName(
        of stored: UnsafeRawBufferPointer,
        _ kind: FileStatus.Kind,
        in directory: Directory
    ) -> ListedName?

    /// The length of a content, of a symbolic link its target's, from what the kernel knows of the
    /// stored file. Of a damaged file as good a number as there is.
    func contentSize(of entry: FileStatus, _ kind: EntryKind) -> UInt64

    /// Opens the content of a stored file, whose descriptor it keeps.
    func openContent(
        _ descriptor: consuming OwnedDescriptor,
        named name: FileName
    ) throws(Errno) -> Content

    /// Makes a file without content.
    ///
    /// - Throws: `EEXIST`.
    func createContent(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) -> Content

    /// Makes an empty directory.
    func makeDirectory(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno)

    /// Makes a symbolic link.
    func makeLink(
        named name: FileName,
        in directory: Directory,
        to target: [UInt8],
        _ ownership: Ownership,
        scratch: Scratch
    ) throws(Errno)

    /// Reads where a symbolic link points.
    func linkTarget(
        of name: FileName,
        in directory: Directory,
        scratch: Scratch
    ) throws(Errno) -> [UInt8]
}

/// A directory of the storage that is held open.
final class StorageDirectory<NameContext: Sendable>: Sendable {
    /// Where names are anchored.
    let descriptor: OwnedDescriptor

    /// What names here depend on.
    let context: NameContext

    init(_ descriptor: consuming OwnedDescriptor, context: NameContext) {
        self.descriptor = descriptor
        self.context = context
    }
}

/// What a name of a volume can stand for.
enum EntryKind: Sendable {
    case file
    case directory
    case symbolicLink
}

/// A name that was found in the storage.
struct StoredEntry: Sendable {
    let name: FileName
    let kind: EntryKind
    let status: FileStatus
}

/// A name as it is listed.
struct ListedName {
    let name: [UInt8]
    let kind: EntryKind
}

/// Whom something new belongs to.
struct Ownership: Sendable {
    let user: UInt32
    let group: UInt32

    /// Permission bits, the umask already taken off.
    let mode: UInt32
}

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
