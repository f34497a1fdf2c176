internal import CryptFS
internal import Linux
internal import VolumeFormat

/// What is in a volume's storage, decrypted.
public struct StoredTree: Sendable {
    /// Directories before what is in them; otherwise in no order.
    public private(set) var entries: [TreeEntry] = []

    /// Entries of the storage that are none of the volume's.
    public private(set) var foreign: [TransferReport.Note<String>] = []

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
            do throws(Errno) {
                let below = try list(stored, plain, volume)
                if isRecursive { pending += below }
            } catch {
                failures.append(.init(path: TreeEntry.text(plain), cause: .system(error)))
            }
        }
    }

    private mutating func list(
        _ stored: [FileName],
        _ plain: [[UInt8]],
        _ volume: StoredVolume
    ) throws(Errno) -> [(plain: [[UInt8]], stored: [FileName])] {
        let directory = try TreeDirectory.open(stored, below: volume.root.rawValue)
        var found: [FileName] = []
        try DirectoryScan.forEach(in: directory.rawValue) { record in
            guard !DraftName.matches(record.name), let name = FileName(record.name) else { return }
            found.append(name)
        }
        var below: [(plain: [[UInt8]], stored: [FileName])] = []
        for name in found {
            let status: FileStatus
            do throws(Errno) {
                status = try FileStatus(in: directory.rawValue, named: name)
            } catch .noSuchFile {
                continue
            }
            do throws(VolumeFormatError) {
                guard let entry = try entry(stored + [name], plain, status, volume.names) else {
                    note(stored + [name], "neither file nor directory")
                    continue
                }
                entries.append(entry)
                if entry.kind == .directory { below.append((entry.path, entry.stored)) }
            } catch {
                note(stored + [name], error.description)
            }
        }
        return below
    }

    private func entry(
        _ stored: [FileName],
        _ plain: [[UInt8]],
        _ status: FileStatus,
        _ names: RcloneNames
    ) throws(VolumeFormatError) -> TreeEntry? {
        guard let last = stored.last else { return nil }
        let kind: TreeEntry.Kind
        var name: [UInt8]
        switch status.kind {
        case .directory:
            kind = .directory
            name = try names.decryptDirectoryName(Array(last.bytes))
        case .regular:
            name = try names.decryptFileName(Array(last.bytes))
            let isLink =
                name.count > Self.linkSuffix.count
                && name.suffix(Self.linkSuffix.count).elementsEqual(Self.linkSuffix)
            kind = isLink ? .link : .file
            if isLink { name.removeLast(Self.linkSuffix.count) }
        case .symbolicLink, .special:
            return nil
        }
        return TreeEntry(
            kind: kind,
            path: plain + [name],
            status: status,
            contentSize: kind == .directory
                ? nil : try? RcloneContent.plaintextCount(forCiphertext: status.size),
            stored: stored
        )
    }

    private mutating func note(_ stored: [FileName], _ cause: String) {
        foreign.append(
            .init(path: stored.map(\.description).joined(separator: "/"), cause: cause)
        )
    }
}

extension StoredVolume {
    /// Where a plain directory lies in the storage.
    func storedDirectory(_ path: [[UInt8]]) throws(TransferError) -> [FileName] {
        var stored: [FileName] = []
        for name in path {
            do throws(TransferFault) {
                stored.append(try storedName(name, .directory))
            } catch {
                throw .file(path: TreeEntry.text(path), error)
            }
        }
        return stored
    }

    /// The directory entry for a plain name.
    func storedName(_ name: [UInt8], _ kind: TreeEntry.Kind) throws(TransferFault) -> FileName {
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
}
