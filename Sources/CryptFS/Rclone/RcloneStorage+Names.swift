internal import Linux
internal import Synchronization
internal import VolumeFormat

// Names, and rclone's convention for symbolic links: file `x.rclonelink` is link `x`.
extension RcloneStorage {
    /// What the stored file of a symbolic link has behind its name.
    static let linkSuffix = Array(".rclonelink".utf8)

    func storedName(
        of name: [UInt8],
        _ kind: EntryKind,
        in directory: Directory
    ) throws(Errno) -> FileName {
        let stored: [UInt8]
        do throws(VolumeFormatError) {
            switch kind {
            case .file: stored = try names.encryptFileName(name)
            case .directory: stored = try names.encryptDirectoryName(name)
            case .symbolicLink: stored = try names.encryptFileName(name + Self.linkSuffix)
            case .special: throw .name(.notPermitted)
            }
        } catch {
            throw Self.errno(for: error)
        }
        // A file with a link's name would come back as a link, and a file with a draft's name not
        // at all.
        guard kind == .directory || !name.hasSuffix(Self.linkSuffix), !DraftName.matches(stored),
            !WriterLock.isName(stored), let stored = FileName(stored)
        else { throw .invalidArgument }
        return stored
    }

    func entry(named name: [UInt8], in directory: Directory) throws(Errno) -> StoredEntry {
        let file = try storedNameIfAny(of: name, .file, in: directory)
        let parent = directory.descriptor.rawValue
        if let file, let status = try status(of: file, in: parent) {
            if status.kind == .regular {
                return StoredEntry(name: file, kind: .file, status: status)
            }
        }
        if let stored = try storedNameIfAny(of: name, .directory, in: directory),
            let status = try status(of: stored, in: parent), status.kind == .directory
        {
            return StoredEntry(name: stored, kind: .directory, status: status)
        }
        if let link = try storedNameIfAny(of: name, .symbolicLink, in: directory),
            let status = try status(of: link, in: parent), status.kind == .regular
        {
            return StoredEntry(name: link, kind: .symbolicLink, status: status)
        }
        if file == nil, name.count > nameLimit { throw .nameTooLong }
        throw .noSuchFile
    }

    func listedName(
        of stored: UnsafeRawBufferPointer,
        _ kind: FileStatus.Kind,
        in directory: Directory
    ) -> ListedName? {
        if DraftName.matches(stored) || WriterLock.isName(stored) { return nil }
        do throws(VolumeFormatError) {
            switch kind {
            case .regular:
                let name = try names.decryptFileName(Array(stored))
                guard name.hasSuffix(Self.linkSuffix), name.count > Self.linkSuffix.count else {
                    return ListedName(name: name, kind: .file)
                }
                return ListedName(
                    name: Array(name.dropLast(Self.linkSuffix.count)),
                    kind: .symbolicLink
                )
            case .directory:
                let name = try names.decryptDirectoryName(Array(stored))
                return ListedName(name: name, kind: .directory)
            case .symbolicLink, .special:
                warnings.warn(
                    "Something is not listed that is neither file nor directory",
                    Array(stored)
                )
                return nil
            }
        } catch {
            warnings.warn(
                "A name is not listed",
                Array(stored),
                ["cause": error.description]
            )
            return nil
        }
    }

    func contentSize(of status: FileStatus, _ kind: EntryKind) -> UInt64 {
        if let size = try? RcloneContent.plaintextCount(forCiphertext: status.size) { return size }
        // Cut off in a header or a tag: what is before.
        guard status.size > UInt64(RcloneContent.headerCount) else { return 0 }
        return (status.size - UInt64(RcloneContent.headerCount))
            / UInt64(RcloneContent.sealedBlockCount) * UInt64(RcloneContent.blockCount)
    }

    private func storedNameIfAny(
        of name: [UInt8],
        _ kind: EntryKind,
        in directory: Directory
    ) throws(Errno) -> FileName? {
        do throws(Errno) {
            return try storedName(of: name, kind, in: directory)
        } catch  where error == .nameTooLong || error == .invalidArgument {
            return nil
        }
    }

    private func status(of name: FileName, in directory: Int32) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try FileStatus(in: directory, named: name)
        } catch .noSuchFile {
            return nil
        }
    }

    private static func errno(for error: VolumeFormatError) -> Errno {
        if case .name(.tooLong) = error { return .nameTooLong }
        return .invalidArgument
    }
}

extension [UInt8] {
    fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool {
        count > suffix.count && self.suffix(suffix.count).elementsEqual(suffix)
    }
}

extension RcloneNames {
    /// The longest name of plain letters that can be stored.
    var longestFileName: Int {
        var limit = Self.maximumEntryCount
        while limit > 1, (try? encryptFileName(Array(repeating: 0x61, count: limit))) == nil {
            limit -= 1
        }
        return limit
    }
}

/// Warnings about stored names, each name once.
final class NameWarnings: Sendable {
    /// How many names are remembered; from then on there is silence.
    private static let limit = 1000

    private let names = Mutex<Set<[UInt8]>>([])

    func warn(
        _ sentence: String,
        _ stored: some Collection<UInt8>,
        _ fields: [String: String] = [:]
    ) {
        let name = Array(stored)
        let isNew = names.withLock { $0.count < Self.limit && $0.insert(name).inserted }
        guard isNew else { return }
        let text = String(decoding: name, as: UTF8.self)
        Log.warning(sentence, fields.merging(["stored_name": text]) { _, new in new })
    }
}
