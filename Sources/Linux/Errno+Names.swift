internal import Glibc

// Named where the code decides by them; any other number passes through as it is.
extension Errno {
    /// `EPERM`.
    public static var operationNotPermitted: Errno { Errno(rawValue: EPERM) }
    /// `ENOENT`.
    public static var noSuchFile: Errno { Errno(rawValue: ENOENT) }
    /// `ESRCH`.
    public static var noSuchProcess: Errno { Errno(rawValue: ESRCH) }
    /// `EINTR`.
    public static var interrupted: Errno { Errno(rawValue: EINTR) }
    /// `EIO`.
    public static var inputOutput: Errno { Errno(rawValue: EIO) }
    /// `ENXIO`.
    public static var noSuchAddress: Errno { Errno(rawValue: ENXIO) }
    /// `EBADF`.
    public static var badDescriptor: Errno { Errno(rawValue: EBADF) }
    /// `EAGAIN`, the same as `EWOULDBLOCK`.
    public static var wouldBlock: Errno { Errno(rawValue: EAGAIN) }
    /// `ENOMEM`.
    public static var noMemory: Errno { Errno(rawValue: ENOMEM) }
    /// `EACCES`.
    public static var permissionDenied: Errno { Errno(rawValue: EACCES) }
    /// `EBUSY`.
    public static var busy: Errno { Errno(rawValue: EBUSY) }
    /// `EEXIST`.
    public static var fileExists: Errno { Errno(rawValue: EEXIST) }
    /// `EXDEV`.
    public static var crossDevice: Errno { Errno(rawValue: EXDEV) }
    /// `ENOTDIR`.
    public static var notDirectory: Errno { Errno(rawValue: ENOTDIR) }
    /// `EISDIR`.
    public static var isDirectory: Errno { Errno(rawValue: EISDIR) }
    /// `EINVAL`.
    public static var invalidArgument: Errno { Errno(rawValue: EINVAL) }
    /// `EFBIG`.
    public static var fileTooLarge: Errno { Errno(rawValue: EFBIG) }
    /// `ENOSPC`.
    public static var noSpace: Errno { Errno(rawValue: ENOSPC) }
    /// `EROFS`.
    public static var readOnlyFileSystem: Errno { Errno(rawValue: EROFS) }
    /// `EMLINK`.
    public static var tooManyLinks: Errno { Errno(rawValue: EMLINK) }
    /// `EPIPE`.
    public static var brokenPipe: Errno { Errno(rawValue: EPIPE) }
    /// `ERANGE`.
    public static var outOfRange: Errno { Errno(rawValue: ERANGE) }
    /// `ENAMETOOLONG`.
    public static var nameTooLong: Errno { Errno(rawValue: ENAMETOOLONG) }
    /// `ENOSYS`.
    public static var noFunction: Errno { Errno(rawValue: ENOSYS) }
    /// `ENOTEMPTY`.
    public static var notEmpty: Errno { Errno(rawValue: ENOTEMPTY) }
    /// `ELOOP`.
    public static var tooManySymbolicLinks: Errno { Errno(rawValue: ELOOP) }
    /// `ENODATA`.
    public static var noData: Errno { Errno(rawValue: ENODATA) }
    /// `EOPNOTSUPP`.
    public static var notSupported: Errno { Errno(rawValue: EOPNOTSUPP) }
    /// `ENOTCONN`.
    public static var notConnected: Errno { Errno(rawValue: ENOTCONN) }
    /// `ESTALE`.
    public static var staleHandle: Errno { Errno(rawValue: ESTALE) }
}
