internal import CLinux

/// A process that cannot be mistaken for a later one of the same number.
///
/// The corresponding C functions are `pidfd_open` and `pidfd_send_signal`, of Linux 5.3.
public struct ProcessHandle: ~Copyable {
    /// Readable once the process has ended.
    public let descriptor: OwnedDescriptor

    /// Gets hold of a process.
    ///
    /// - Throws: `Errno`; `.noFunction` on older kernels.
    public init(_ pid: Int32) throws(Errno) {
        descriptor = OwnedDescriptor(
            takingOwnershipOf: try valueOrErrno { linux_open_process(pid) }
        )
    }

    /// Sends a signal.
    public borrowing func send(_ signal: Signal) throws(Errno) {
        let descriptor = descriptor.rawValue
        _ = try valueOrErrno { linux_signal_process(descriptor, signal.rawValue) }
    }
}
