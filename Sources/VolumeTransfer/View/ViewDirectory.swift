internal import CryptFS
internal import Glibc
internal import Linux

/// A directory in memory that a volume is shown in: found fit for it, and held against a second one.
///
/// A marker file says whose it is. It is locked as long as somebody shows something, so that what is found
/// beside a marker that nobody has locked was left by one who was killed, and is wiped.
public final class ViewDirectory: Sendable {
    /// What has to be reached after the process has given its paths up.
    public var descriptor: Int32 { root.rawValue }

    let root: OwnedDescriptor
    let path: String

    /// How much content there is room for, in bytes: of the file system, the machine and the container,
    /// the least.
    let room: UInt64

    /// How many more files there can be; nil where there is no limit.
    let fileRoom: UInt64?

    /// Whether the pages may go to a swap device.
    public let maySwap: Bool

    private let marker: OwnedDescriptor

    static let markerName = FileName.constant(".secure-init-view")

    /// Takes a directory, and wipes what a crash left in it.
    ///
    /// - Parameters:
    ///   - path: There already, on a tmpfs or ramfs.
    ///   - storage: The volume's storage, which must not lie in it nor the reverse.
    /// - Throws: ``ViewError``.
    public init(_ path: String, storage: String) throws(ViewError) {
        self.path = path
        do throws(TransferError) {
            try Nesting.check(path, storage: storage)
        } catch {
            throw .transfer(error)
        }
        root = try viewing("open", path) { () throws(Errno) in
            try FileCall.open(path: path, [.readOnly, .directory])
        }
        let number = root.rawValue
        let type = try viewing("look at", path) { () throws(Errno) in
            try FileSystemType(of: number)
        }
        guard type == .tmpfs || type == .ramfs else { throw .notInMemory(path: path) }
        let statistics = try viewing("look at", path) { () throws(Errno) in
            try VolumeStatistics(of: number)
        }
        marker = try Self.takeMarker(in: number, path)
        let free = statistics.availableBlocks * statistics.fragmentSize
        // Without a limit of its own a file system counts no blocks.
        room = min(statistics.blocks > 0 ? free : .max, MemoryRoom.available)
        fileRoom = statistics.files > 0 ? statistics.freeFiles : nil
        maySwap = type == .tmpfs && MemoryRoom.hasSwap
    }

    /// Overwrites and removes everything, and gives the directory up.
    public func wipe() throws(ViewError) {
        try Self.wipe(root.rawValue, path)
        try viewing("remove the marker in", path) { () throws(Errno) in
            try FileCall.unlink(Self.markerName, in: root.rawValue)
        }
    }

    private static func takeMarker(
        in root: Int32,
        _ path: String
    ) throws(ViewError) -> OwnedDescriptor {
        var names = Set<[UInt8]>()
        try viewing("list", path) { () throws(Errno) in
            try DirectoryScan.forEach(in: root) { names.insert(Array($0.name)) }
        }
        let isMarked = names.contains(Array(markerName.bytes))
        guard isMarked || names.isEmpty else { throw .notEmpty(path: path) }
        let marker = try viewing("mark", path) { () throws(Errno) in
            try FileCall.open(markerName, in: root, [.readWrite, .create], mode: 0o600)
        }
        do throws(Errno) {
            try FileCall.lock(marker.rawValue)
        } catch .wouldBlock {
            throw .inUse(path: path)
        } catch {
            throw .system(operation: "lock", path: path, error)
        }
        if isMarked { try wipe(root, path) }
        return marker
    }

    private static func wipe(_ root: Int32, _ path: String) throws(ViewError) {
        try viewing("wipe", path) { () throws(Errno) in
            try TreeWipe(sparing: markerName).run(root)
        }
    }
}

extension FileName {
    /// A name that is written in the source.
    static func constant(_ text: StaticString) -> FileName {
        guard let name = text.withUTF8Buffer({ FileName($0) }) else {
            preconditionFailure("\(text) is no name")
        }
        return name
    }
}
