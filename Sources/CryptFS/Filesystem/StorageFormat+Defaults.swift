internal import Linux

// What a format does that stores a name as a name, files and directories, and nothing else.
extension StorageFormat {
    var changesInPlace: Bool { false }

    func recordName(_ name: [UInt8], as stored: FileName, in directory: Directory) -> Bool {
        false
    }

    func dropName(_ stored: FileName, in directory: Directory) {}

    func settle(
        _ status: FileStatus,
        named name: FileName,
        in directory: Directory
    ) -> FileStatus {
        status
    }

    func removeDirectory(named name: FileName, in directory: Directory) throws(Errno) {
        try FileCall.removeDirectory(name, in: directory.descriptor.rawValue)
    }

    func makeSpecial(
        named name: FileName,
        in directory: Directory,
        type: UInt32,
        device: UInt32,
        _ ownership: Ownership
    ) throws(Errno) {
        throw .operationNotPermitted
    }

    func synchronizeNames() {}

    func storedAttributeName(of name: [UInt8]) throws(Errno) -> FileName {
        throw .notSupported
    }

    func listedAttributeName(of stored: UnsafeRawBufferPointer) -> [UInt8]? { nil }

    func sealAttribute(
        _ name: [UInt8],
        _ value: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        throw .notSupported
    }

    func openAttribute(
        _ name: [UInt8],
        _ sealed: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        throw .notSupported
    }
}

extension FileContent {
    func wasWritten(at offset: UInt64, count: Int) {}

    func synchronize(dataOnly: Bool) throws(Errno) {
        try withMetadata { descriptor throws(Errno) in
            try FileCall.synchronize(descriptor, dataOnly: dataOnly)
        }
    }

    func allocate(
        at offset: UInt64,
        count: UInt64,
        _ allocation: FileCall.Allocation,
        scratch: Scratch
    ) throws(Errno) {
        throw .notSupported
    }

    /// Everything is data.
    func find(_ target: FileCall.SeekTarget, from offset: UInt64) throws(Errno) -> UInt64 {
        let size = size
        guard offset < size else { throw .noSuchAddress }
        return target == .data ? offset : size
    }
}

// MARK: Making

extension StorageFormat {
    /// Gives something new to whom it is for, where the kernel has not done so.
    static func give(_ descriptor: Int32, to ownership: Ownership) throws(Errno) {
        let status = try FileStatus(of: descriptor)
        if status.user != ownership.user || status.group != ownership.group {
            try FileCall.setOwner(descriptor, user: ownership.user, group: ownership.group)
        } else if status.mode & 0o7777 == ownership.mode {
            return
        }
        if !ownership.isInherited { try FileCall.setMode(descriptor, ownership.mode) }
    }
}
