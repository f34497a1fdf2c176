internal import Linux
internal import Synchronization

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

    /// Whether a stored file stays the same one when its content changes.
    ///
    /// Then it can have several names, be of any kind, and have extended attributes; and opening and
    /// closing it means nothing, so that the kernel need not tell.
    var changesInPlace: Bool { get }

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

    /// Keeps what a stored name alone does not tell of a name; before something is called that.
    ///
    /// - Returns: Whether there is any such thing.
    /// - Throws: ``Errno``.
    func recordName(
        _ name: [UInt8],
        as stored: FileName,
        in directory: Directory
    ) throws(Errno) -> Bool

    /// Lets go of what ``recordName(_:as:in:)`` kept; after nothing is called that any more.
    func dropName(_ stored: FileName, in directory: Directory)

    /// Finds a name.
    ///
    /// - Throws: `ENOENT`, also where no file of the volume can be called that.
    func entry(named name: [UInt8], in directory: Directory) throws(Errno) -> StoredEntry

    /// Sees to what a writer that was killed left of a file, before anything is told of it.
    ///
    /// - Returns: What is known of the file then.
    func settle(
        _ status: FileStatus,
        named name: FileName,
        in directory: Directory
    ) throws(Errno) -> FileStatus

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

    /// Removes an empty directory.
    ///
    /// - Throws: `ENOTEMPTY`.
    func removeDirectory(named name: FileName, in directory: Directory) throws(Errno)

    /// Makes a FIFO, a socket or a device.
    ///
    /// - Parameters:
    ///   - name: As it is stored.
    ///   - directory: Where it is made.
    ///   - type: `S_IFIFO`, `S_IFSOCK`, `S_IFCHR` or `S_IFBLK`.
    ///   - device: Which one, of a device.
    ///   - ownership: Whose.
    /// - Throws: `EPERM` where the format has none.
    func makeSpecial(
        named name: FileName,
        in directory: Directory,
        type: UInt32,
        device: UInt32,
        _ ownership: Ownership
    ) throws(Errno)

    /// How the name of an extended attribute is stored.
    ///
    /// - Throws: `EOPNOTSUPP` for one that cannot be.
    func storedAttributeName(of name: [UInt8]) throws(Errno) -> FileName

    /// What a stored attribute is called; nil for what is none of the volume's.
    func listedAttributeName(of stored: UnsafeRawBufferPointer) -> [UInt8]?

    /// Seals an attribute's value.
    ///
    /// - Returns: What is stored, in `scratch`'s `sealed`.
    func sealAttribute(
        _ name: [UInt8],
        _ value: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer

    /// Opens an attribute's value.
    ///
    /// - Returns: It, in `scratch`'s `plain`.
    /// - Throws: `EIO` where it does not authenticate.
    func openAttribute(
        _ name: [UInt8],
        _ sealed: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer

    /// Waits until what names depend on is on the disk, as far as it is not yet.
    func synchronizeNames() throws(Errno)

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

    private let defaultList = Atomic<UInt8>(0)

    /// Whether there is a default access control list; nil while that is not known.
    var hasDefaultList: Bool? {
        get {
            switch defaultList.load(ordering: .relaxed) {
            case 1: false
            case 2: true
            default: nil
            }
        }
        set {
            let value: UInt8 = newValue.map { $0 ? 2 : 1 } ?? 0
            defaultList.store(value, ordering: .relaxed)
        }
    }

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
    /// A FIFO, a socket, a device.
    case special
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

    /// The directory's default access control list decides further: the kernel below applies it,
    /// and what comes out is not to be changed.
    var isInherited = false
}
