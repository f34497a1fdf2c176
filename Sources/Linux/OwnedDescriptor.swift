internal import CLinux
internal import Glibc

/// A file descriptor with one owner, closed when the owner goes.
///
/// The corresponding C type is `int`.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number; valid as long as the owner lives.
    public let rawValue: Int32

    /// Takes over a descriptor nobody else will close.
    public init(takingOwnershipOf rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Opens another descriptor of an open file, closed on exec.
    ///
    /// The corresponding C function is `fcntl` with `F_DUPFD_CLOEXEC`.
    public init(duplicating descriptor: Int32) throws(Errno) {
        rawValue = try valueOrErrno { linux_duplicate(descriptor) }
    }

    deinit {
        // Whatever close says, the descriptor is gone: nothing to retry.
        _ = Glibc.close(rawValue)
    }

    /// Gives the descriptor away; the receiver closes it.
    public consuming func release() -> Int32 {
        let rawValue = rawValue
        discard self
        return rawValue
    }

    /// Closes and says how that went; for data that must have arrived.
    ///
    /// The corresponding C function is `close`.
    public consuming func close() throws(Errno) {
        let rawValue = release()
        _ = try valueOrErrno(retryOnInterrupt: false) { Glibc.close(rawValue) }
    }

    /// Another descriptor of the same open file, closed on exec.
    ///
    /// The corresponding C function is `fcntl` with `F_DUPFD_CLOEXEC`.
    public borrowing func duplicate() throws(Errno) -> OwnedDescriptor {
        try OwnedDescriptor(duplicating: rawValue)
    }
}
