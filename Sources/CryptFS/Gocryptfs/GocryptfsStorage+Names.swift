internal import Glibc
internal import Linux
internal import VolumeFormat

// Names as they are stored, and back.
extension GocryptfsStorage {
    func storedName(
        of name: [UInt8],
        _ kind: EntryKind,
        in directory: Directory
    ) throws(Errno) -> FileName {
        try name.withUnsafeBufferPointer { name throws(Errno) in
            try withUnsafeTemporaryAllocation(
                byteCount: GocryptfsNames.textCapacity,
                alignment: 8
            ) { room throws(Errno) in
                let stored: UnsafeRawBufferPointer
                do throws(VolumeFormatError) {
                    let count = try names.entry(
                        for: UnsafeRawBufferPointer(name),
                        in: directory.context.iv,
                        into: room
                    ).count
                    stored = UnsafeRawBufferPointer(rebasing: room[..<count])
                } catch .name(.tooLong) {
                    throw .nameTooLong
                } catch {
                    throw .invalidArgument
                }
                // With names as they are, the configuration and the lock would be in reach.
                guard
                    names.kind(of: stored, isRoot: directory.context.isRoot) != .configuration,
                    !WriterLock.isName(stored), let stored = FileName(stored)
                else { throw .operationNotPermitted }
                return stored
            }
        }
    }

    func entry(named name: [UInt8], in directory: Directory) throws(Errno) -> StoredEntry {
        let stored: FileName
        do throws(Errno) {
            stored = try storedName(of: name, .file, in: directory)
        } catch .operationNotPermitted {
            throw .noSuchFile
        }
        let found = try FileStatus(in: directory.descriptor.rawValue, named: stored)
        let status = try settle(found, named: stored, in: directory)
        return StoredEntry(name: stored, kind: EntryKind(status.kind), status: status)
    }

    func listedName(
        of stored: UnsafeRawBufferPointer,
        _ kind: FileStatus.Kind,
        in directory: Directory
    ) -> ListedName? {
        if DraftName.matches(stored) || WriterLock.isName(stored) { return nil }
        do throws(VolumeFormatError) {
            switch names.kind(of: stored, isRoot: directory.context.isRoot) {
            case .configuration, .directoryIV, .longName: return nil
            case .name:
                return try withNameBuffer { name throws(VolumeFormatError) in
                    let count = try names.decrypt(stored, in: directory.context.iv, into: name)
                    return ListedName(name: Array(name[..<count]), kind: EntryKind(kind))
                }
            case .longContent:
                return try withNameBuffer { name throws(VolumeFormatError) in
                    let count = try longName(of: stored, in: directory, into: name)
                    return ListedName(name: Array(name[..<count]), kind: EntryKind(kind))
                }
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

    func recordName(
        _ name: [UInt8],
        as stored: FileName,
        in directory: Directory
    ) throws(Errno) -> Bool {
        guard isLong(stored, in: directory) else { return false }
        let text: [UInt8]
        do throws(VolumeFormatError) {
            text = try names.store(name, in: directory.context.iv).longText ?? []
        } catch {
            throw errno(for: error, named: stored)
        }
        do throws(Errno) {
            try write(text, as: Self.recordName(of: stored), in: directory)
        } catch .fileExists {
            // Of what bears the name: the same name gives the same text. Or of a crash.
            try mend(text, as: Self.recordName(of: stored), in: directory)
        }
        return true
    }

    /// Writes a long name again where a crash has left its file without it.
    private func mend(
        _ text: [UInt8],
        as name: FileName,
        in directory: Directory
    ) throws(Errno) {
        let parent = directory.descriptor.rawValue
        guard try FileStatus(in: parent, named: name).size != UInt64(text.count) else { return }
        try FileCall.unlink(name, in: parent)
        try write(text, as: name, in: directory)
    }

    private func write(
        _ text: [UInt8],
        as name: FileName,
        in directory: Directory
    ) throws(Errno) {
        let file = try FileCall.open(
            name,
            in: directory.descriptor.rawValue,
            [.writeOnly, .createNew],
            mode: 0o440
        )
        try unsynchronized.write(text, to: file)
    }

    func dropName(_ stored: FileName, in directory: Directory) {
        guard isLong(stored, in: directory) else { return }
        // Without what it belongs to it means nothing, should this fail.
        try? FileCall.unlink(
            Self.recordName(of: stored),
            in: directory.descriptor.rawValue
        )
    }

    private func isLong(_ stored: FileName, in directory: Directory) -> Bool {
        stored.bytes.withUnsafeBytes {
            names.kind(of: $0, isRoot: directory.context.isRoot) == .longContent
        }
    }

    /// The file beside an entry that has its long name.
    private static func recordName(of stored: FileName) throws(Errno) -> FileName {
        let suffix = GocryptfsNames.longNameSuffix.withUTF8Buffer { Array($0) }
        guard let name = FileName(stored.bytes + suffix) else { throw .invalidArgument }
        return name
    }

    private func longName(
        of stored: UnsafeRawBufferPointer,
        in directory: Directory,
        into name: UnsafeMutableRawBufferPointer
    ) throws(VolumeFormatError) -> Int {
        try withUnsafeTemporaryAllocation(
            byteCount: GocryptfsNames.textCapacity,
            alignment: 8
        ) { text throws(VolumeFormatError) in
            var count = 0
            do throws(Errno) {
                guard let entry = FileName(stored) else { throw .invalidArgument }
                let file = try FileCall.open(
                    try Self.recordName(of: entry),
                    in: directory.descriptor.rawValue,
                    [.readOnly, .nonBlocking]
                )
                count = try FileCall.read(file.rawValue, at: 0, into: text)
            } catch {
                throw .name(.notOfThisEntry)
            }
            return try names.decryptLong(
                UnsafeRawBufferPointer(rebasing: text[..<count]),
                entry: stored,
                in: directory.context.iv,
                into: name
            )
        }
    }

    private func withNameBuffer<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws(VolumeFormatError) -> Result
    ) throws(VolumeFormatError) -> Result {
        try withUnsafeTemporaryAllocation(
            byteCount: GocryptfsNames.maximumEntryCount,
            alignment: 8
        ) { room throws(VolumeFormatError) in try body(room) }
    }
}

extension EntryKind {
    /// What is stored as itself.
    init(_ kind: FileStatus.Kind) {
        self =
            switch kind {
            case .regular: .file
            case .directory: .directory
            case .symbolicLink: .symbolicLink
            case .special: .special
            }
    }
}
