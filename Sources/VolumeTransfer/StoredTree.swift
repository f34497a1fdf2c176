internal import CryptFS
internal import Linux
internal import VolumeFormat

/// What is in a volume's storage, decrypted.
public struct StoredTree: Sendable {
    /// Directories before what is in them; otherwise in no order.
    public private(set) var entries: [TreeEntry] = []

    /// Entries of the storage that are none of the volume's.
    public private(set) var foreign: [TransferReport.Note<String>] = []

    /// Neither file nor directory nor link, and yet the volume's: pipes, sockets, devices.
    public private(set) var special: [String] = []

    /// Directories that could not be listed.
    public private(set) var failures: [TransferReport.Note<TransferFault>] = []

    static let linkSuffix = Array(".rclonelink".utf8)

    /// Lists a volume's directory.
    ///
    /// - Parameters:
    ///   - volume: Open.
    ///   - path: The plain path of a directory; empty for the topmost one.
    ///   - isRecursive: Everything below it as well.
    /// - Throws: ``TransferError/notFound(path:)``, ``TransferError/file(path:_:)``.
    public init(
        of volume: StoredVolume,
        at path: [[UInt8]] = [],
        isRecursive: Bool = true
    ) throws(TransferError) {
        let top = try volume.storedDirectory(path)
        do throws(Errno) {
            // The directory itself must be there; one below that is gone is a failure of its own.
            _ = try TreeDirectory.open(top, below: volume.root.rawValue)
        } catch {
            if error == .noSuchFile { throw .notFound(path: TreeEntry.text(path)) }
            throw .file(path: TreeEntry.text(path), .system(error))
        }
        var pending: [(plain: [[UInt8]], stored: [FileName])] = [(path, top)]
        while let (plain, stored) = pending.popLast() {
            do throws(TransferFault) {
                let below = try list(stored, plain, volume)
                if isRecursive { pending += below }
            } catch {
                failures.append(.init(path: TreeEntry.text(plain), cause: error))
            }
        }
    }

    private mutating func list(
        _ stored: [FileName],
        _ plain: [[UInt8]],
        _ volume: StoredVolume
    ) throws(TransferFault) -> [(plain: [[UInt8]], stored: [FileName])] {
        let directory = try StoredDirectory(opening: stored, of: volume)
        let number = directory.descriptor.rawValue
        var found: [FileName] = []
        try system { () throws(Errno) in
            try DirectoryScan.forEach(in: number) { record in
                guard !DraftName.matches(record.name), !WriterLock.isName(record.name),
                    let name = FileName(record.name)
                else { return }
                found.append(name)
            }
        }
        var below: [(plain: [[UInt8]], stored: [FileName])] = []
        for name in found {
            let status: FileStatus
            do throws(Errno) {
                status = try FileStatus(in: number, named: name)
            } catch .noSuchFile {
                continue
            } catch {
                throw .system(error)
            }
            do throws(VolumeFormatError) {
                let plainName: PlainName?
                switch volume.cipher {
                case .rclone(_, let names): plainName = try Self.plain(name, status, names)
                case .gocryptfs(_, let names):
                    plainName = try Self.plain(
                        name,
                        status,
                        names,
                        directory,
                        isRoot: stored.isEmpty
                    )
                }
                switch plainName {
                case .none: continue
                case .special(let name): special.append(TreeEntry.text(plain + [name]))
                case .foreign: note(stored + [name], "neither file nor directory")
                case .entry(let kind, let plainName):
                    let entry = TreeEntry(
                        kind: kind,
                        path: plain + [plainName],
                        status: status,
                        contentSize: Self.size(kind, name, status, in: directory, volume),
                        stored: stored + [name]
                    )
                    entries.append(entry)
                    if kind == .directory { below.append((entry.path, entry.stored)) }
                }
            } catch {
                note(stored + [name], error.description)
            }
        }
        return below
    }

    /// What an entry of the storage is to a person; nil for what belongs to the format.
    private enum PlainName {
        case entry(TreeEntry.Kind, [UInt8])
        case special([UInt8])
        case foreign
    }

    private static func plain(
        _ stored: FileName,
        _ status: FileStatus,
        _ names: RcloneNames
    ) throws(VolumeFormatError) -> PlainName? {
        switch status.kind {
        case .directory:
            return .entry(.directory, try names.decryptDirectoryName(Array(stored.bytes)))
        case .regular:
            var name = try names.decryptFileName(Array(stored.bytes))
            let isLink =
                name.count > Self.linkSuffix.count
                && name.suffix(Self.linkSuffix.count).elementsEqual(Self.linkSuffix)
            if isLink { name.removeLast(Self.linkSuffix.count) }
            return .entry(isLink ? .link : .file, name)
        case .symbolicLink, .special:
            return .foreign
        }
    }

    private static func plain(
        _ stored: FileName,
        _ status: FileStatus,
        _ names: GocryptfsNames,
        _ directory: borrowing StoredDirectory,
        isRoot: Bool
    ) throws(VolumeFormatError) -> PlainName? {
        let entry = Array(stored.bytes)
        let longText: [UInt8]?
        switch entry.withUnsafeBytes({ names.kind(of: $0, isRoot: isRoot) }) {
        case .configuration, .directoryIV: return nil
        case .longName:
            let suffix = GocryptfsNames.longNameSuffix.utf8CodeUnitCount
            guard let content = FileName(entry.dropLast(suffix)),
                (try? FileStatus(in: directory.descriptor.rawValue, named: content)) != nil
            else { throw .name(.withoutEntry) }
            return nil
        case .longContent:
            do throws(TransferFault) {
                let file = try stored.ofLongName()
                let number = directory.descriptor.rawValue
                longText = try system { () throws(Errno) in
                    try SmallStoredFile.read(
                        file,
                        in: number,
                        limit: GocryptfsNames.maximumTextCount
                    )
                }
            } catch {
                throw .name(.longNameMissing)
            }
        case .name: longText = nil
        }
        let name = try names.name(
            of: GocryptfsStoredName(entry: entry, longText: longText),
            in: directory.iv
        )
        switch status.kind {
        case .directory: return .entry(.directory, name)
        case .regular: return .entry(.file, name)
        case .symbolicLink: return .entry(.link, name)
        case .special: return .special(name)
        }
    }

    private static func size(
        _ kind: TreeEntry.Kind,
        _ name: FileName,
        _ status: FileStatus,
        in directory: borrowing StoredDirectory,
        _ volume: StoredVolume
    ) -> UInt64? {
        switch (kind, volume.cipher) {
        case (.directory, _): return nil
        case (.link, .gocryptfs):
            let target = try? LinkTarget.read(name, in: directory.descriptor, of: volume)
            return target.map { UInt64($0.count) }
        default: return volume.cipher.contentCount(forStored: status.size)
        }
    }

    private mutating func note(_ stored: [FileName], _ cause: String) {
        foreign.append(
            .init(path: stored.map(\.description).joined(separator: "/"), cause: cause)
        )
    }
}
