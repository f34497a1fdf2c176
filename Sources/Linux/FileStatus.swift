internal import CLinux
internal import Glibc

/// Which file, in all file systems of the machine.
public struct FileIdentity: Hashable, Sendable {
    /// The file system.
    public let device: UInt64

    /// The file's number there; used again once the file is gone.
    public let number: UInt64

    /// Puts the two together.
    public init(device: UInt64, number: UInt64) {
        self.device = device
        self.number = number
    }
}

/// A point in time.
///
/// The corresponding C type is `struct timespec`.
public struct FileTime: Equatable, Sendable {
    /// Since 1970.
    public let seconds: Int64

    /// 0...999_999_999, or one of the two special values.
    public let nanoseconds: Int

    /// Puts the two together.
    public init(seconds: Int64, nanoseconds: Int) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Leave the file's time as it is: `UTIME_OMIT`.
    public static let unchanged = FileTime(seconds: 0, nanoseconds: linux_utime_omit)

    /// The kernel's present time: `UTIME_NOW`.
    public static let now = FileTime(seconds: 0, nanoseconds: linux_utime_now)

    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: time.tv_nsec)
    }

    var specification: timespec { timespec(tv_sec: Int(seconds), tv_nsec: nanoseconds) }
}

/// What the kernel knows of a file.
///
/// The corresponding C type is `struct stat`.
public struct FileStatus: Sendable {
    /// What a file is, as far as this program tells apart.
    public enum Kind: Sendable {
        /// `S_IFREG`.
        case regular
        /// `S_IFDIR`.
        case directory
        /// `S_IFLNK`.
        case symbolicLink
        /// Anything else.
        case special
    }

    private let status: stat

    /// The corresponding C function is `fstat`.
    public init(of descriptor: Int32) throws(Errno) {
        var status = stat()
        _ = try valueOrErrno { fstat(descriptor, &status) }
        self.status = status
    }

    /// A file whose times of modification and change are known.
    ///
    /// A kernel that was asked for them gives the file's next change a time of its own, finer than the clock's
    /// ticks, and from then on every file system's clock goes on with it.
    ///
    /// - Parameters:
    ///   - descriptor: Of the file.
    ///   - modified: Taken over.
    ///   - changed: Taken over.
    /// - Throws: ``Errno``.
    ///
    /// The corresponding C function is `statx` without `STATX_MTIME` and `STATX_CTIME`.
    public init(
        of descriptor: Int32,
        modified: FileTime,
        changed: FileTime
    ) throws(Errno) {
        var status = stat()
        status.st_mtim = modified.specification
        status.st_ctim = changed.specification
        _ = try valueOrErrno { linux_status_but_changes(descriptor, &status) }
        self.status = status
    }

    /// Does not follow a symbolic link.
    ///
    /// The corresponding C function is `fstatat` with `AT_SYMLINK_NOFOLLOW`.
    public init(in directory: Int32, named name: FileName) throws(Errno) {
        var status = stat()
        _ = try name.withCString { name throws(Errno) in
            try valueOrErrno { fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) }
        }
        self.status = status
    }

    /// Follows symbolic links, as far as a path that a person gave may.
    ///
    /// The corresponding C function is `stat`.
    public init(path: String) throws(Errno) {
        var status = stat()
        _ = try valueOrErrno { fstatat(AT_FDCWD, path, &status, 0) }
        self.status = status
    }

    /// `st_dev` and `st_ino`.
    public var identity: FileIdentity {
        FileIdentity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }

    /// From `st_mode`.
    public var kind: Kind {
        switch status.st_mode & S_IFMT {
        case S_IFREG: .regular
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        default: .special
        }
    }

    /// `st_mode`.
    public var mode: UInt32 { status.st_mode }

    /// `st_rdev`: which device a device file stands for.
    public var device: UInt64 { UInt64(status.st_rdev) }

    /// `st_nlink`.
    public var linkCount: UInt64 { UInt64(status.st_nlink) }

    /// `st_uid`.
    public var user: UInt32 { status.st_uid }

    /// `st_gid`.
    public var group: UInt32 { status.st_gid }

    /// `st_size` in bytes.
    public var size: UInt64 { UInt64(max(status.st_size, 0)) }

    /// `st_blocks`, of 512 bytes.
    public var blocks: UInt64 { UInt64(max(status.st_blocks, 0)) }

    /// `st_atim`.
    public var accessed: FileTime { FileTime(status.st_atim) }

    /// `st_mtim`.
    public var modified: FileTime { FileTime(status.st_mtim) }

    /// `st_ctim`.
    public var changed: FileTime { FileTime(status.st_ctim) }
}
