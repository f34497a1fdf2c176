/// A mount, as the kernel lists it.
///
/// Format: `proc_pid_mountinfo(5)`: number, parent's number, device, root, place, options, optional
/// fields, `-`, type, source, options of the filesystem; with a space between each two.
public struct MountEntry: Sendable {
    /// The kernel's number of it; another mount may have it once this one is gone.
    public let number: Int

    /// The filesystem's number, `MAJOR:MINOR`.
    public let device: String

    /// The filesystem's type, such as `fuse.secure-store`.
    public let type: String

    /// What the mount was made from; anything its maker liked.
    public let source: String

    /// Looks up the mount that an open file lies in.
    ///
    /// - Throws: ``Errno``; `.noSuchFile` where it is in no directory any more.
    public init(of descriptor: borrowing OwnedDescriptor) throws(Errno) {
        let number = try Self.number(of: descriptor)
        let list = try SmallFile.read(path: "/proc/self/mountinfo", limit: 1 << 24)
        for line in list.split(separator: UInt8(ascii: "\n")) {
            let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard let first = fields.first, Int(first) == number,
                let dash = fields.firstIndex(of: "-"), fields.count > dash + 2
            else { continue }
            self.number = number
            device = String(fields[2])
            type = String(fields[dash + 1])
            source = String(fields[dash + 2])
            return
        }
        throw .noSuchFile
    }

    /// The number of the mount that an open file lies in.
    ///
    /// - Throws: ``Errno``; `.notSupported` where the kernel does not say.
    public static func number(of descriptor: borrowing OwnedDescriptor) throws(Errno) -> Int {
        let path = "/proc/self/fdinfo/\(descriptor.rawValue)"
        let text = String(decoding: try SmallFile.read(path: path, limit: 4096), as: UTF8.self)
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":")
            if fields.count == 2, fields[0] == "mnt_id",
                let number = Int(fields[1].drop { $0 == "\t" || $0 == " " })
            {
                return number
            }
        }
        throw .notSupported
    }
}
