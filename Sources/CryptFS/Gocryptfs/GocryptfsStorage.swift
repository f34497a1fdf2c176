internal import Linux
internal import Synchronization
internal import VolumeFormat

/// A gocryptfs volume's directory, as a ``StorageFormat``.
final class GocryptfsStorage: StorageFormat {
    /// What names in a directory are bound to.
    struct NameContext: Sendable {
        let iv: GocryptfsDirectoryIV

        /// Whether this is the topmost directory, which has the configuration.
        let isRoot: Bool
    }

    /// The storage's topmost directory.
    let root: OwnedDescriptor

    let keys: GocryptfsKeys
    let names: GocryptfsNames
    let geometry: GocryptfsGeometry
    let warnings = NameWarnings()

    /// What the names of something new are bound to, and is not on the disk yet.
    let unsynchronized = UnsynchronizedFiles()

    let changesInPlace = true

    /// Somebody else may be writing.
    let isShared: Bool

    /// What is about to be written; nil where this is not the only writer.
    let intents: WriteIntents?

    /// Whether a loss of power is to leave no torn block.
    let keepsJournal: Bool
    let nameLimit: Int
    private let rootIdentity: FileIdentity

    /// A volume in the directory `root`, open for reading.
    init(
        root: consuming OwnedDescriptor,
        keys: GocryptfsKeys,
        names: GocryptfsNames,
        isShared: Bool,
        intents: WriteIntents? = nil
    ) throws(Errno) {
        rootIdentity = try FileStatus(of: root.rawValue).identity
        self.root = root
        self.keys = keys
        self.names = names
        self.isShared = isShared
        self.intents = intents
        keepsJournal = intents?.isJournal ?? false
        geometry = GocryptfsGeometry(keys.cipher)
        nameLimit = names.longestName
    }

    /// The name of the file in every directory that names are bound to.
    static let directoryIVName = fileName(GocryptfsNames.directoryIVName)

    /// The volume's configuration.
    static let configurationName = fileName(GocryptfsNames.configurationName)

    func nameContext(ofDirectory descriptor: Int32) throws(Errno) -> NameContext {
        let isRoot = try FileStatus(of: descriptor).identity == rootIdentity
        guard names.scheme.hasDirectoryIVs else {
            return NameContext(iv: .deterministic, isRoot: isRoot)
        }
        do throws(Errno) {
            return NameContext(iv: try readDirectoryIV(in: descriptor), isRoot: isRoot)
        } catch .noSuchFile {
            warnings.warn("A directory has lost its gocryptfs.diriv", "\(rootIdentity)".utf8)
            throw .inputOutput
        }
    }

    /// Reads what the names in a directory are bound to.
    func readDirectoryIV(in directory: Int32) throws(Errno) -> GocryptfsDirectoryIV {
        let file = try FileCall.open(
            Self.directoryIVName,
            in: directory,
            [.readOnly, .nonBlocking]
        )
        var room = InlineArray<17, UInt8>(repeating: 0)
        return try withUnsafeMutableBytes(of: &room) { room throws(Errno) in
            let count = try FileCall.read(file.rawValue, at: 0, into: room)
            do throws(VolumeFormatError) {
                return try GocryptfsDirectoryIV(
                    parsing: UnsafeRawBufferPointer(rebasing: room[..<count])
                )
            } catch {
                throw errno(for: error, named: Self.directoryIVName)
            }
        }
    }

    /// A thread's expanded key.
    func cipher(of scratch: Scratch) throws(Errno) -> ThreadCipher {
        if let cipher = scratch.formatState as? ThreadCipher { return cipher }
        do throws(VolumeFormatError) {
            let content = try GocryptfsContent(keys: keys)
            let cipher = ThreadCipher(content, notes: intents?.claim())
            scratch.formatState = cipher
            return cipher
        } catch {
            throw .noMemory
        }
    }

    /// The error for a stored file that cannot be read; damage is told once a file.
    func errno(for error: VolumeFormatError, named name: FileName) -> Errno {
        switch error {
        case .name(.tooLong): return .nameTooLong
        case .sizeOutOfRange: return .fileTooLarge
        case .cryptography: return .noMemory
        default:
            warnings.warn("A file is damaged", name.bytes, ["cause": error.description])
            return .inputOutput
        }
    }

    /// Seals what is no content: a link's target, an attribute's value.
    func seal(_ value: UnsafeRawBufferPointer, scratch: Scratch) throws(Errno) -> [UInt8] {
        let cipher = try cipher(of: scratch)
        do throws(VolumeFormatError) {
            return try cipher.content.sealValue(value)
        } catch {
            throw .noMemory
        }
    }

    /// Opens what ``seal(_:scratch:)`` made.
    ///
    /// - Throws: `EIO` where it does not authenticate.
    func open(
        _ sealed: UnsafeRawBufferPointer,
        of name: FileName,
        scratch: Scratch
    ) throws(Errno) -> [UInt8] {
        let cipher = try cipher(of: scratch)
        do throws(VolumeFormatError) {
            return try cipher.content.openValue(sealed)
        } catch {
            throw errno(for: error, named: name)
        }
    }

    func synchronizeNames() throws(Errno) {
        try unsynchronized.synchronize()
    }

    private static func fileName(_ text: StaticString) -> FileName {
        // Constants of the format, none of which has a slash.
        guard let name = text.withUTF8Buffer({ FileName($0) }) else {
            preconditionFailure("no file name")
        }
        return name
    }
}

/// The expanded key of one thread, which only that thread uses.
final class ThreadCipher {
    var content: GocryptfsContent

    /// Where the thread notes what it is about to write, see ``WriteIntents``.
    let notes: ThreadNotes?

    init(_ content: consuming GocryptfsContent, notes: ThreadNotes?) {
        self.content = content
        self.notes = notes
    }
}

extension GocryptfsNames {
    /// The longest name of plain letters that can be stored.
    fileprivate var longestName: Int {
        guard case .encrypted(let scheme) = scheme, scheme.longNameMax == nil else {
            return Self.maximumEntryCount
        }
        // Whole blocks of 16 with at least a byte of padding, as base64, in an entry.
        return 175
    }
}
