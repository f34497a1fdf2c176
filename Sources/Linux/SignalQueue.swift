internal import CLinux
internal import Glibc

/// The process's signals as a descriptor to wait for: blocked, so that none interrupts anything.
///
/// The corresponding C functions are `sigprocmask` and `signalfd`.
public struct SignalQueue: ~Copyable {
    /// One signal that arrived.
    public struct Delivery: Sendable {
        /// Which.
        public let signal: Signal
        /// The process it came from, as far as it is visible here; 0 when the kernel sent it.
        public let sender: Int32
    }

    /// Readable when a signal is waiting.
    public let descriptor: OwnedDescriptor

    /// The mask as it was before, for the programs started from here.
    public let inheritedMask: SignalSet

    /// The signals that were ignored, for the same programs.
    ///
    /// `SIGCHLD` no longer is: children would
    /// vanish unseen.
    public let inheritedIgnored: SignalSet

    /// Blocks every signal there is and opens the queue.
    ///
    /// To be called before a second thread exists: the mask is each thread's own.
    ///
    /// - Parameter inheritedMask: The mask as it was, where signals were blocked earlier already.
    /// - Throws: What the kernel said.
    public init(inheritedMask: SignalSet? = nil) throws(Errno) {
        var mask: UInt64 = 0
        _ = try valueOrErrno { linux_get_signal_mask(&mask) }
        _ = try valueOrErrno { linux_set_signal_mask(SignalSet.all.rawValue) }
        var ignored: SignalSet = []
        for number in Int32(1)...64 where linux_is_ignored(number) == 1 {
            ignored.insert(SignalSet(rawValue: 1 << UInt64(number - 1)))
        }
        _ = try valueOrErrno { linux_set_disposition(SIGCHLD, false) }
        let queue = try valueOrErrno { linux_signal_descriptor(SignalSet.all.rawValue) }
        self.inheritedMask = inheritedMask ?? SignalSet(rawValue: mask)
        inheritedIgnored = ignored
        descriptor = OwnedDescriptor(takingOwnershipOf: queue)
    }

    /// Hands over what has arrived, oldest first within one kind; never waits.
    public borrowing func drain(_ body: (Delivery) -> Void) throws(Errno) {
        let capacity = 16
        let descriptor = descriptor.rawValue
        var failure: Errno?
        withUnsafeTemporaryAllocation(of: linux_signal_report.self, capacity: capacity) { reports in
            while true {
                let count = linux_read_signals(descriptor, reports.baseAddress, capacity)
                if count == -1 {
                    let errno = Errno.current
                    if errno == .interrupted { continue }
                    failure = errno
                    return
                }
                for report in reports.prefix(count) {
                    guard let signal = Signal(rawValue: Int32(bitPattern: report.number)) else {
                        continue
                    }
                    body(Delivery(signal: signal, sender: report.sender))
                }
                if count < capacity { return }
            }
        }
        if let failure { throw failure }
    }
}
