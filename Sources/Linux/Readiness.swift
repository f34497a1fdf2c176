internal import Glibc

/// Waiting for one descriptor.
///
/// The corresponding C function is `poll`.
public enum Readiness {
    /// What to wait for.
    public enum Direction: Sendable {
        /// Data to read, the end of it, or an error to collect.
        case reading

        /// Room to write, or an error to collect.
        case writing
    }

    /// Whether a read would return at once, with data, the end of them, or an error.
    ///
    /// - Parameter descriptor: Open for reading.
    /// - Returns: False where a read would wait.
    /// - Throws: The number `poll` left; `EBADF` for a descriptor that is not open.
    public static func isReadable(_ descriptor: Int32) throws(Errno) -> Bool {
        try poll(descriptor, POLLIN, milliseconds: 0)
    }

    /// Waits until the descriptor is ready, or the time is over.
    ///
    /// - Parameters:
    ///   - descriptor: A socket or pipe.
    ///   - direction: What to wait for.
    ///   - deadline: When to give up; one that has passed asks once without waiting.
    /// - Returns: Whether it is ready; false when the time is over.
    /// - Throws: The number `poll` left; `EBADF` for a descriptor that is not open.
    public static func wait(
        for descriptor: Int32,
        _ direction: Direction,
        until deadline: ContinuousClock.Instant
    ) throws(Errno) -> Bool {
        let events = direction == .reading ? POLLIN : POLLOUT
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            if try poll(descriptor, events, milliseconds: left.milliseconds) { return true }
            if ContinuousClock.now >= deadline { return false }
        }
    }

    /// Sleeps; nothing wakes it before its time but a signal that ends the process.
    ///
    /// The corresponding C function is `poll` without descriptors.
    public static func sleep(for duration: Duration) {
        let deadline = ContinuousClock.now.advanced(by: duration)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return }
            _ = Glibc.poll(nil, 0, left.milliseconds)
        }
    }

    private static func poll(
        _ descriptor: Int32,
        _ events: Int32,
        milliseconds: Int32
    ) throws(Errno) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
        do throws(Errno) {
            let count = try valueOrErrno(retryOnInterrupt: false) {
                Glibc.poll(&entry, 1, milliseconds)
            }
            guard count > 0 else { return false }
        } catch .interrupted {
            return false
        }
        // A closed descriptor is nothing to wait for: it would be "ready" for ever.
        guard entry.revents & Int16(truncatingIfNeeded: POLLNVAL) == 0 else {
            throw .badDescriptor
        }
        return true
    }
}

extension Duration {
    /// Rounded up, so that a wait does not end early and spin; 0 or more, at most a day.
    fileprivate var milliseconds: Int32 {
        guard self > .zero else { return 0 }
        guard self < .seconds(86_400) else { return 86_400_000 }
        let (seconds, attoseconds) = components
        let rest = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(truncatingIfNeeded: seconds * 1000 + rest)
    }
}
