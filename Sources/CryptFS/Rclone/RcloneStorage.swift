internal import Cryptography
internal import Linux
internal import Synchronization
internal import VolumeFormat

/// An rclone volume's directory, as a ``StorageFormat``.
final class RcloneStorage: StorageFormat {
    /// Names depend on nothing but the volume.
    typealias NameContext = NoNameContext

    /// The storage's topmost directory.
    let root: OwnedDescriptor

    let keys: RcloneKeys
    let names: RcloneNames

    /// Memory for blocks that wait to be stored: 4 MiB at most, for the whole volume.
    let pool: BlockPool

    let nameLimit: Int
    let warnings = NameWarnings()

    /// Files that hold links' targets: who has synchronised a directory has what its links lead to.
    private let unsynchronized = UnsynchronizedFiles()

    /// A volume in the directory `root`, open for reading.
    init(
        root: consuming OwnedDescriptor,
        keys: RcloneKeys,
        names: RcloneNames
    ) throws(Errno) {
        self.root = root
        self.keys = keys
        self.names = names
        pool = try BlockPool(count: 64)
        nameLimit = names.longestFileName
    }

    func nameContext(ofDirectory descriptor: Int32) -> NoNameContext { NoNameContext() }

    func openContent(
        _ descriptor: consuming OwnedDescriptor,
        named name: FileName
    ) throws(Errno) -> RcloneFile {
        do throws(SealedFileError) {
            let file = try SealedFile(opening: descriptor, keys: keys)
            let size = try file.storedContentSize()
            return RcloneFile(stored: file, size: size, name: name, storage: self)
        } catch {
            throw errno(for: error, named: name)
        }
    }

    /// The error for a stored file that cannot be read; damage is told once a file.
    func errno(for error: SealedFileError, named name: FileName) -> Errno {
        switch error {
        case .system(let errno): return errno
        case .damaged(let cause):
            warnings.warn("A file is damaged", name.bytes, ["cause": cause.description])
            return .inputOutput
        }
    }

    func createContent(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) -> RcloneFile {
        let draft = try makeDraft()
        try place(draft, as: name, in: directory, ownership)
        return RcloneFile(
            stored: draft.file,
            size: 0,
            name: name,
            storage: self,
            isFresh: true
        )
    }

    func makeDirectory(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) {
        let parent = directory.descriptor.rawValue
        try FileCall.makeDirectory(name, in: parent, mode: 0o700)
        do throws(Errno) {
            let made = try FileCall.open(name, in: parent, [.readOnly, .directory])
            try Self.give(made.rawValue, to: ownership)
        } catch {
            try? FileCall.removeDirectory(name, in: parent)
            throw error
        }
    }

    /// A link is a file whose content is the target.
    func makeLink(
        named name: FileName,
        in directory: Directory,
        to target: [UInt8],
        _ ownership: Ownership,
        scratch: Scratch
    ) throws(Errno) {
        guard (1...Self.targetLimit).contains(target.count) else { throw .nameTooLong }
        let draft = try makeDraft()
        do throws(Errno) {
            UnsafeMutableRawBufferPointer(rebasing: scratch.block[..<target.count])
                .copyBytes(from: target)
            try draft.file.seal(
                blocksFrom: 0,
                UnsafeRawBufferPointer(rebasing: scratch.block[..<target.count]),
                sealed: scratch.sealed
            )
            try keepUntilSynchronized(draft)
        } catch {
            discard(draft)
            throw error
        }
        try place(draft, as: name, in: directory, ownership)
    }

    private func keepUntilSynchronized(_ draft: Draft) throws(Errno) {
        var content = [UInt8](
            repeating: 0,
            count: RcloneContent.headerCount + 16 + Self.targetLimit
        )
        let descriptor = draft.file.descriptor.rawValue
        let count = try content.withUnsafeMutableBufferPointer { content throws(Errno) in
            try FileCall.read(descriptor, at: 0, into: UnsafeMutableRawBufferPointer(content))
        }
        try unsynchronized.write(
            Array(content[..<count]),
            to: FileCall.open(draft.name, in: root.rawValue, .writeOnly)
        )
    }

    func synchronizeNames() throws(Errno) {
        try unsynchronized.synchronize()
    }

    func linkTarget(
        of name: FileName,
        in directory: Directory,
        scratch: Scratch
    ) throws(Errno) -> [UInt8] {
        let descriptor = try FileCall.open(
            name,
            in: directory.descriptor.rawValue,
            [.readOnly, .nonBlocking]
        )
        let content = try openContent(descriptor, named: name)
        guard (1...UInt64(Self.targetLimit)).contains(content.size) else { throw .inputOutput }
        let target = Array(
            try content.read(at: 0, count: Self.targetLimit, scratch: scratch)
        )
        guard !target.contains(0) else { throw .inputOutput }
        return target
    }

    /// The longest target of a symbolic link: the kernel's `PATH_MAX`, without the NUL.
    private static var targetLimit: Int { 4095 }

    /// Gives a complete draft the name it is for, as something new.
    private func place(
        _ draft: Draft,
        as name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) {
        do throws(Errno) {
            try Self.give(draft.file.descriptor.rawValue, to: ownership)
            try FileCall.rename(
                draft.name,
                in: root.rawValue,
                to: name,
                in: directory.descriptor.rawValue,
                .keepExisting
            )
        } catch {
            discard(draft)
            throw error
        }
    }
}

/// What names depend on where they depend on nothing.
struct NoNameContext: Sendable {}
