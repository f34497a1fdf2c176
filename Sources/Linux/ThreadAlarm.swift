internal import CLinux

/// Interrupts what one thread waits in, again and again while it is set: a `read` without a time limit gets
/// one, without a call more for each that does not need it.
///
/// A system call in which the thread waits fails with `EINTR`; nothing else happens.
public struct ThreadAlarm: ~Copyable {
    private let timer: Int32

    /// Makes one for the calling thread, not set yet.
    ///
    /// Takes `SIGURG`, for the whole process.
    ///
    /// - Throws: `EAGAIN`, `ENOMEM`.
    ///
    /// The corresponding C function is `timer_create` with `SIGEV_THREAD_ID`.
    public init() throws(Errno) {
        timer = try valueOrErrno { linux_thread_alarm() }
    }

    deinit {
        linux_delete_thread_alarm(timer)
    }

    /// Interrupts once every so many milliseconds, one or more, until ``stop()``.
    public borrowing func start(everyMilliseconds period: Int64) {
        _ = linux_set_thread_alarm(timer, period)
    }

    /// Interrupts no more.
    public borrowing func stop() {
        _ = linux_set_thread_alarm(timer, 0)
    }
}
