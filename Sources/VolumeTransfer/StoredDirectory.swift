internal import CryptFS
internal import Linux
internal import VolumeFormat

/// A directory of a storage, open, with what the names in it are bound to.
struct StoredDirectory: ~Copyable {
    let descriptor: OwnedDescriptor

    /// Of gocryptfs's format; zeros where directories have none.
    let iv: GocryptfsDirectoryIV

    /// The file with the bytes that names are bound to.
    static let ivName = name(GocryptfsNames.directoryIVName)

    /// Makes the file with the bytes that names are bound to.
    ///
    /// - Parameter directory: Where it belongs.
    /// - Throws: ``TransferFault/system(_:)``.
    static func makeIV(in directory: Int32) throws(TransferFault) {
        try system { () throws(Errno) in
            let file = try FileCall.open(
                ivName,
                in: directory,
                [.writeOnly, .createNew],
                mode: 0o440
            )
            let number = file.rawValue
            try GocryptfsDirectoryIV.random().withUnsafeBytes { iv throws(Errno) in
                try FileCall.write(number, at: 0, iv)
            }
            try FileCall.synchronize(number)
        }
    }

    private static func name(_ text: StaticString) -> FileName {
        guard let name = text.withUTF8Buffer({ FileName($0) }) else {
            preconditionFailure("\(text) is no name")
        }
        return name
    }
}

/// A name as it is stored.
struct StoredEntryName {
    let entry: FileName

    /// The file beside it, and the long name in it; nil where the name is not long.
    let longName: (file: FileName, text: [UInt8])?
}

extension StoredVolume {
    /// The storage's topmost directory.
    func topDirectory() throws(TransferFault) -> StoredDirectory {
        try StoredDirectory(opening: [], of: self)
    }

    /// The directory entry for a plain name.
    func storedName(
        _ name: [UInt8],
        _ kind: TreeEntry.Kind,
        in directory: borrowing StoredDirectory
    ) throws(TransferFault) -> StoredEntryName {
        switch cipher {
        case .rclone(_, let names):
            return StoredEntryName(
                entry: try Self.rcloneName(name, kind, names),
                longName: nil
            )
        case .gocryptfs(_, let names):
            let stored: GocryptfsStoredName
            do throws(VolumeFormatError) {
                stored = try names.store(name, in: directory.iv)
            } catch {
                throw .name(error)
            }
            guard let entry = FileName(stored.entry) else { throw .name(.name(.notPermitted)) }
            guard let text = stored.longText else {
                return StoredEntryName(entry: entry, longName: nil)
            }
            return StoredEntryName(entry: entry, longName: (try entry.ofLongName(), text))
        }
    }

    private static func rcloneName(
        _ name: [UInt8],
        _ kind: TreeEntry.Kind,
        _ names: RcloneNames
    ) throws(TransferFault) -> FileName {
        let suffix = StoredTree.linkSuffix
        if kind == .file, name.count > suffix.count, name.suffix(suffix.count).elementsEqual(suffix)
        {
            throw .reservedName
        }
        let bytes: [UInt8]
        do throws(VolumeFormatError) {
            switch kind {
            case .directory: bytes = try names.encryptDirectoryName(name)
            case .link: bytes = try names.encryptFileName(name + suffix)
            case .file: bytes = try names.encryptFileName(name)
            }
        } catch {
            throw .name(error)
        }
        guard let stored = FileName(bytes) else { throw .name(.name(.notPermitted)) }
        return stored
    }

    /// Opens the directory at a plain path.
    func directory(at path: some Collection<[UInt8]>) throws(TransferFault) -> StoredDirectory {
        var directory = try topDirectory()
        var stored: [FileName] = []
        for name in path {
            stored.append(try storedName(name, .directory, in: directory).entry)
            directory = try StoredDirectory(opening: stored, of: self)
        }
        return directory
    }

    /// Where a plain directory lies in the storage.
    func storedDirectory(_ path: [[UInt8]]) throws(TransferError) -> [FileName] {
        var stored: [FileName] = []
        do throws(TransferFault) {
            // rclone's names depend on nothing but themselves, so nothing needs to be there.
            var directory = try topDirectory()
            for name in path {
                stored.append(try storedName(name, .directory, in: directory).entry)
                if case .gocryptfs = cipher {
                    directory = try StoredDirectory(opening: stored, of: self)
                }
            }
        } catch .system(let errno) where errno == .noSuchFile || errno == .notDirectory {
            throw .notFound(path: TreeEntry.text(path))
        } catch {
            throw .file(path: TreeEntry.text(path), error)
        }
        return stored
    }
}

extension StoredDirectory {
    /// Opens a directory by the path it lies at.
    init(
        opening stored: some Collection<FileName>,
        of volume: StoredVolume
    ) throws(TransferFault) {
        let opened = try system { () throws(Errno) in
            try TreeDirectory.open(stored, below: volume.root.rawValue)
        }
        var iv = GocryptfsDirectoryIV.deterministic
        if case .gocryptfs(_, let names) = volume.cipher, names.scheme.hasDirectoryIVs {
            iv = try Self.readIV(in: opened.rawValue)
        }
        self.init(descriptor: opened, iv: iv)
    }

    private static func readIV(in directory: Int32) throws(TransferFault) -> GocryptfsDirectoryIV {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try SmallStoredFile.read(
                ivName,
                in: directory,
                limit: GocryptfsDirectoryIV.count
            )
        } catch .noSuchFile {
            throw .damaged(.directoryIVInvalid(found: 0))
        } catch {
            throw .system(error)
        }
        do throws(VolumeFormatError) {
            return try bytes.withUnsafeBufferPointer { bytes throws(VolumeFormatError) in
                try GocryptfsDirectoryIV(parsing: UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw .damaged(error)
        }
    }
}

extension FileName {
    /// The file beside a long name's entry.
    func ofLongName() throws(TransferFault) -> FileName {
        let suffix = GocryptfsNames.longNameSuffix.withUTF8Buffer { Array($0) }
        guard let name = FileName(Array(bytes) + suffix) else {
            throw .name(.name(.tooLong(found: bytes.count + suffix.count)))
        }
        return name
    }
}

/// The files beside content that hold names and what they are bound to.
enum SmallStoredFile {
    /// Reads one.
    ///
    /// - Returns: Its content, at most one byte more than `limit`.
    static func read(
        _ name: FileName,
        in directory: Int32,
        limit: Int
    ) throws(Errno) -> [UInt8] {
        let file = try FileCall.open(name, in: directory, [.readOnly, .nonBlocking])
        guard try FileStatus(of: file.rawValue).kind == .regular else { throw .invalidArgument }
        let number = file.rawValue
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        let count = try bytes.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            try FileCall.read(number, at: 0, into: UnsafeMutableRawBufferPointer(bytes))
        }
        return Array(bytes[..<count])
    }
}
