internal import CLinux
internal import Glibc

/// Descriptors to sleep on, all at once.
///
/// Memory is allocated when the list grows beyond what it ever held, not with every wait. The
/// corresponding C function is `ppoll`.
public struct WaitList: ~Copyable {
    /// What to wait for on a descriptor.
    public struct Interest: OptionSet, Sendable {
        /// The bits, as `poll` has them.
        public let rawValue: Int16

        /// Wraps the bits of `poll`.
        public init(rawValue: Int16) {
            self.rawValue = rawValue
        }

        /// There is something to read, or the other side is gone.
        public static let readable = Interest(rawValue: Int16(truncatingIfNeeded: POLLIN))
        /// There is room to write, or the other side is gone.
        public static let writable = Interest(rawValue: Int16(truncatingIfNeeded: POLLOUT))
    }

    private var entries: [pollfd] = []

    /// Makes an empty list.
    public init() {
        entries.reserveCapacity(8)
    }

    /// Forgets every descriptor.
    public mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
    }

    /// Adds a descriptor.
    public mutating func add(_ descriptor: Int32, _ interest: Interest) {
        entries.append(pollfd(fd: descriptor, events: interest.rawValue, revents: 0))
    }

    /// Sleeps until one of the descriptors is ready or the time is up.
    ///
    /// - Parameter deadline: When to return even so; nil for never.
    /// - Throws: `Errno`, but not for an interruption, which counts as a wake-up for nothing.
    ///
    /// The corresponding C function is `ppoll`.
    public mutating func wait(until deadline: Instant?) throws(Errno) {
        let left = deadline.map { max(0, $0.nanoseconds &- Instant.now.nanoseconds) } ?? -1
        let count = entries.withUnsafeMutableBufferPointer {
            linux_poll($0.baseAddress, $0.count, left)
        }
        guard count == -1 else { return }
        for index in entries.indices { entries[index].revents = 0 }
        let errno = Errno.current
        if errno != .interrupted { throw errno }
    }

    /// Whether the last wait found the descriptor ready, or broken.
    public func isReady(_ descriptor: Int32) -> Bool {
        entries.contains { $0.fd == descriptor && $0.revents != 0 }
    }
}
