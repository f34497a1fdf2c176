internal import Glibc

// Named for the file system.
extension Errno {
    /// `ECONNABORTED`: a FUSE mount that was aborted.
    public static var connectionAborted: Errno { Errno(rawValue: ECONNABORTED) }
}
