internal import CLinux
internal import Glibc

/// Sizes of the file system a file is on.
///
/// The corresponding C type is `struct statvfs`.
public struct VolumeStatistics: Sendable {
    private let status: statvfs

    /// The corresponding C function is `fstatvfs`.
    public init(of descriptor: Int32) throws(Errno) {
        var status = statvfs()
        _ = try valueOrErrno { fstatvfs(descriptor, &status) }
        self.status = status
    }

    /// `f_bsize` in bytes.
    public var blockSize: UInt64 { UInt64(status.f_bsize) }

    /// `f_frsize` in bytes: what the numbers of blocks count.
    public var fragmentSize: UInt64 { UInt64(status.f_frsize) }

    /// `f_blocks`.
    public var blocks: UInt64 { UInt64(status.f_blocks) }

    /// `f_bfree`.
    public var freeBlocks: UInt64 { UInt64(status.f_bfree) }

    /// `f_bavail`.
    public var availableBlocks: UInt64 { UInt64(status.f_bavail) }

    /// `f_files`.
    public var files: UInt64 { UInt64(status.f_files) }

    /// `f_ffree`.
    public var freeFiles: UInt64 { UInt64(status.f_ffree) }
}

/// What kind of file system something is on.
///
/// The corresponding C type is `f_type` of `struct statfs`.
public struct FileSystemType: Equatable, Sendable {
    private let number: UInt64

    /// `FUSE_SUPER_MAGIC`: served by a process.
    public static let fuse = FileSystemType(number: 0x6573_5546)

    /// `TMPFS_MAGIC`: in memory, or swapped out.
    public static let tmpfs = FileSystemType(number: 0x0102_1994)

    /// `RAMFS_MAGIC`: in memory.
    public static let ramfs = FileSystemType(number: 0x8584_58f6)

    private init(number: UInt64) {
        self.number = number
    }

    /// Asks the file system of an open file.
    ///
    /// The corresponding C function is `fstatfs`.
    public init(of descriptor: Int32) throws(Errno) {
        var number: UInt64 = 0
        _ = try valueOrErrno { linux_file_system_type_of(descriptor, &number) }
        self.number = number
    }

    /// Asks the file system itself; one that is served by a process never answers from a cache.
    ///
    /// The corresponding C function is `statfs`.
    public init(at path: String) throws(Errno) {
        var number: UInt64 = 0
        _ = try valueOrErrno { linux_file_system_type(path, &number) }
        self.number = number
    }
}
