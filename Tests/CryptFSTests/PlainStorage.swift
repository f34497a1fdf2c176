import Linux

@testable import CryptFS

/// A format that hides nothing: names and contents as they are.
///
/// It shows that the side towards the kernel works with any format: this one changes files in
/// place, has no drafts, and keeps symbolic links as such.
final class PlainStorage: StorageFormat {
    struct NameContext: Sendable {}

    let nameLimit = 255
    let changesInPlace = true

    func nameContext(ofDirectory descriptor: Int32) -> NameContext { NameContext() }

    func storedName(
        of name: [UInt8],
        _ kind: EntryKind,
        in directory: Directory
    ) throws(Errno) -> FileName {
        guard name.count <= nameLimit else { throw .nameTooLong }
        guard let stored = FileName(name) else { throw .invalidArgument }
        return stored
    }

    func entry(named name: [UInt8], in directory: Directory) throws(Errno) -> StoredEntry {
        let stored = try storedName(of: name, .file, in: directory)
        let status = try FileStatus(in: directory.descriptor.rawValue, named: stored)
        return StoredEntry(name: stored, kind: kind(status.kind), status: status)
    }

    func listedName(
        of stored: UnsafeRawBufferPointer,
        _ kind: FileStatus.Kind,
        in directory: Directory
    ) -> ListedName? {
        ListedName(name: Array(stored), kind: self.kind(kind))
    }

    func contentSize(of status: FileStatus, _ kind: EntryKind) -> UInt64 { status.size }

    func openContent(
        _ descriptor: consuming OwnedDescriptor,
        named name: FileName
    ) throws(Errno) -> PlainContent {
        PlainContent(descriptor)
    }

    func createContent(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) -> PlainContent {
        let descriptor = try FileCall.open(
            name,
            in: directory.descriptor.rawValue,
            [.readWrite, .createNew],
            mode: 0o600
        )
        try FileCall.setOwner(
            descriptor.rawValue,
            user: ownership.user,
            group: ownership.group
        )
        try FileCall.setMode(descriptor.rawValue, ownership.mode)
        return PlainContent(descriptor)
    }

    func makeDirectory(
        named name: FileName,
        in directory: Directory,
        _ ownership: Ownership
    ) throws(Errno) {
        let parent = directory.descriptor.rawValue
        try FileCall.makeDirectory(name, in: parent, mode: 0o700)
        let made = try FileCall.open(name, in: parent, [.readOnly, .directory])
        try FileCall.setOwner(made.rawValue, user: ownership.user, group: ownership.group)
        try FileCall.setMode(made.rawValue, ownership.mode)
    }

    func makeLink(
        named name: FileName,
        in directory: Directory,
        to target: [UInt8],
        _ ownership: Ownership,
        scratch: Scratch
    ) throws(Errno) {
        let parent = directory.descriptor.rawValue
        try FileCall.makeLink(name, in: parent, to: target)
        let made = try FileCall.open(name, in: parent, .placeOnly)
        try FilePlace.setOwner(made.rawValue, user: ownership.user, group: ownership.group)
    }

    func linkTarget(
        of name: FileName,
        in directory: Directory,
        scratch: Scratch
    ) throws(Errno) -> [UInt8] {
        try FileCall.readLink(name, in: directory.descriptor.rawValue)
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
        let made = try FileCall.open(name, in: parent, .placeOnly)
        try FilePlace.setOwner(made.rawValue, user: ownership.user, group: ownership.group)
    }

    func storedAttributeName(of name: [UInt8]) throws(Errno) -> FileName {
        guard let stored = FileName(name) else { throw .invalidArgument }
        return stored
    }

    func listedAttributeName(of stored: UnsafeRawBufferPointer) -> [UInt8]? { Array(stored) }

    func sealAttribute(
        _ name: [UInt8],
        _ value: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer { value }

    func openAttribute(
        _ name: [UInt8],
        _ sealed: UnsafeRawBufferPointer,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer { sealed }

    private func kind(_ kind: FileStatus.Kind) -> EntryKind {
        switch kind {
        case .regular: .file
        case .directory: .directory
        case .symbolicLink: .symbolicLink
        case .special: .special
        }
    }
}

/// A file as it is.
final class PlainContent: FileContent {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    var size: UInt64 { (try? FileStatus(of: descriptor.rawValue).size) ?? 0 }
    var isDirty: Bool { false }

    func withMetadata<Result>(
        _ body: (Int32) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try body(descriptor.rawValue)
    }

    func read(
        at offset: UInt64,
        count: Int,
        scratch: Scratch
    ) throws(Errno) -> UnsafeRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer(rebasing: scratch.plain[..<count])
        let read = try FileCall.read(descriptor.rawValue, at: offset, into: buffer)
        return UnsafeRawBufferPointer(rebasing: buffer[..<read])
    }

    func write(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        scratch: Scratch
    ) throws(Errno) {
        try FileCall.write(descriptor.rawValue, at: offset, bytes)
    }

    func truncate(to size: UInt64, scratch: Scratch) throws(Errno) {
        try FileCall.truncate(descriptor.rawValue, to: size)
    }

    func timesWereSet() {}

    func commit(
        durably: Bool,
        to place: some ContentPlace,
        scratch: Scratch
    ) throws(Errno) {
        if durably { try FileCall.synchronize(descriptor.rawValue) }
    }
}
