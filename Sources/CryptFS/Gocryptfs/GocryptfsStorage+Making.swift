internal import Glibc
internal import Linux
internal import VolumeFormat

// What is new in the storage, and symbolic links.
extension GocryptfsStorage {
    func contentSize(of status: FileStatus, _ kind: EntryKind) -> UInt64 {
        switch kind {
        case .file: return geometry.shownCount(forStored: status.size)
        case .symbolicLink:
            guard names.scheme != .plaintext else { return status.size }
            // Base64 without padding has four characters for three bytes.
            let sealed = status.size * 3 / 4
            return sealed - min(sealed, UInt64(geometry.overhead))
        case .directory, .special: return status.size
        }
    }

    func openContent(
        _ descriptor: consuming OwnedDescriptor,
        named name: FileName
    ) throws(Errno) -> GocryptfsFile {
        try GocryptfsFile(opening: descriptor, named: name, storage: self)
    }

    func createContent(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) -> GocryptfsFile {
        let parent = directory.descriptor.rawValue
        let descriptor = try FileCall.open(
            name,
            in: parent,
            [.readWrite, .createNew],
            mode: ownership.mode
        )
        do throws(Errno) {
            try Self.give(descriptor.rawValue, to: ownership)
        } catch {
            try? FileCall.unlink(name, in: parent)
            throw error
        }
        return GocryptfsFile(new: descriptor, named: name, storage: self)
    }

    func makeDirectory(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) {
        let parent = directory.descriptor.rawValue
        try FileCall.makeDirectory(name, in: parent, mode: ownership.mode)
        do throws(Errno) {
            let made = try FileCall.open(name, in: parent, [.readOnly, .directory])
            if names.scheme.hasDirectoryIVs {
                try writeDirectoryIV(.random(), in: made.rawValue, ownership)
            }
            try Self.give(made.rawValue, to: ownership)
        } catch {
            try? removeDirectory(named: name, in: directory)
            throw error
        }
    }

    func removeDirectory(named name: FileName, in directory: Directory) throws(Errno) {
        let parent = directory.descriptor.rawValue
        guard names.scheme.hasDirectoryIVs else {
            try FileCall.removeDirectory(name, in: parent)
            return
        }
        let removed = try FileCall.open(name, in: parent, [.readOnly, .directory])
        let own = Self.directoryIVName.bytes
        let hasOthers = try DirectoryScan.contains(removed.rawValue) {
            !$0.name.elementsEqual(own)
        }
        if hasOthers { throw .notEmpty }
        // One that a crash has left without can be removed all the same.
        let iv = try? readDirectoryIV(in: removed.rawValue)
        try? FileCall.unlink(Self.directoryIVName, in: removed.rawValue)
        do throws(Errno) {
            try FileCall.removeDirectory(name, in: parent)
        } catch {
            if let iv { try writeDirectoryIV(iv, in: removed.rawValue, nil) }
            throw error
        }
    }

    func makeSpecial(
        named name: FileName,
        in directory: Directory,
        type: UInt32,
        device: UInt32,
        _ ownership: Ownership
    ) throws(Errno) {
        let parent = directory.descriptor.rawValue
        try FileCall.makeNode(name, in: parent, mode: type | ownership.mode, device: device)
        do throws(Errno) {
            try giveItself(name, in: parent, to: ownership)
        } catch {
            try? FileCall.unlink(name, in: parent)
            throw error
        }
    }

    func makeLink(
        named name: FileName,
        in directory: Directory,
        to target: [UInt8],
        _ ownership: Ownership,
        scratch: Scratch
    ) throws(Errno) {
        let parent = directory.descriptor.rawValue
        var stored = target
        if names.scheme != .plaintext {
            let sealed = try target.withUnsafeBufferPointer { target throws(Errno) in
                try seal(UnsafeRawBufferPointer(target), scratch: scratch)
            }
            stored = names.encodeTarget(sealed)
        }
        try FileCall.makeLink(name, in: parent, to: stored)
        do throws(Errno) {
            try giveItself(name, in: parent, to: ownership)
        } catch {
            try? FileCall.unlink(name, in: parent)
            throw error
        }
    }

    func linkTarget(
        of name: FileName,
        in directory: Directory,
        scratch: Scratch
    ) throws(Errno) -> [UInt8] {
        let stored = try FileCall.readLink(name, in: directory.descriptor.rawValue)
        guard names.scheme != .plaintext else { return stored }
        let sealed: [UInt8]
        do throws(VolumeFormatError) {
            sealed = try names.decodeTarget(stored)
        } catch {
            throw errno(for: error, named: name)
        }
        let target = try sealed.withUnsafeBufferPointer { sealed throws(Errno) in
            try open(UnsafeRawBufferPointer(sealed), of: name, scratch: scratch)
        }
        guard !target.isEmpty, !target.contains(0) else { throw .inputOutput }
        return target
    }

    /// Makes a storage's topmost directory one of a volume, durably.
    static func makeDirectoryIV(in root: Int32) throws(Errno) {
        do throws(Errno) {
            // A crash came before the configuration was there, and perhaps before these bytes were.
            try FileCall.unlink(directoryIVName, in: root)
        } catch  where error == .noSuchFile {}
        let file = try createDirectoryIV(in: root)
        try GocryptfsDirectoryIV.random().withUnsafeBytes { iv throws(Errno) in
            try FileCall.write(file.rawValue, at: 0, iv)
        }
        try FileCall.synchronize(file.rawValue)
    }

    private static func createDirectoryIV(in directory: Int32) throws(Errno) -> OwnedDescriptor {
        try FileCall.open(directoryIVName, in: directory, [.writeOnly, .createNew], mode: 0o440)
    }

    private func writeDirectoryIV(
        _ iv: GocryptfsDirectoryIV,
        in directory: Int32,
        _ ownership: Ownership?
    ) throws(Errno) {
        let file = try Self.createDirectoryIV(in: directory)
        // Whoever owns the directory can mount the volume without being root.
        if let ownership, ownership.user != 0 || ownership.group != 0 {
            try FileCall.setOwner(
                file.rawValue,
                user: ownership.user,
                group: ownership.group
            )
        }
        try unsynchronized.write(iv.withUnsafeBytes { Array($0) }, to: file)
    }

    private func giveItself(
        _ name: FileName,
        in parent: Int32,
        to ownership: Ownership
    ) throws(Errno) {
        let status = try FileStatus(in: parent, named: name)
        guard status.user != ownership.user || status.group != ownership.group else { return }
        let place = try FileCall.open(name, in: parent, .placeOnly)
        try FilePlace.setOwner(
            place.rawValue,
            user: ownership.user,
            group: ownership.group
        )
    }
}
