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
