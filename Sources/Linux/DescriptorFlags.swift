internal import CLinux
internal import Glibc

/// Flags of descriptors that somebody else owns.
public enum DescriptorFlags {
    /// Makes reads and writes give `EAGAIN` instead of waiting.
    ///
    /// The corresponding C function is `fcntl` with `O_NONBLOCK`.
    public static func setNonblocking(_ descriptor: Int32) throws(Errno) {
        let flags = try valueOrErrno { linux_get_status_flags(descriptor) }
        _ = try valueOrErrno { linux_set_status_flags(descriptor, flags | O_NONBLOCK) }
    }

    /// Keeps a descriptor from the programs that are executed.
    ///
    /// The corresponding C function is `fcntl` with `FD_CLOEXEC`.
    public static func closeOnExec(_ descriptor: Int32) throws(Errno) {
        _ = try valueOrErrno { linux_close_on_exec(descriptor) }
    }

    /// Whether the number stands for an open file.
    public static func isOpen(_ descriptor: Int32) -> Bool {
        linux_get_status_flags(descriptor) != -1
    }

    /// Whether the number stands for an open file that this process was started with.
    ///
    /// What it opened itself is closed on exec; what came over an exec cannot be.
    public static func isInherited(_ descriptor: Int32) -> Bool {
        linux_closes_on_exec(descriptor) == 0
    }

    /// Closes a descriptor; a standard stream becomes `/dev/null`, for a program without one is
    /// handed the next file it opens as such.
    public static func giveUp(_ descriptor: Int32) {
        guard descriptor <= STDERR_FILENO else {
            close(descriptor)
            return
        }
        let null = linux_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0)
        guard null != -1 else { return }
        // The copy is not closed on exec.
        dup2(null, descriptor)
        close(null)
    }

    /// Closes everything above standard error but these; does nothing on a kernel before 5.9.
    ///
    /// The corresponding C function is `close_range`.
    public static func closeAll(except kept: [Int32]) {
        var first: Int32 = 3
        for descriptor in kept.sorted() where descriptor >= first {
            if descriptor > first {
                _ = linux_close_range(UInt32(first), UInt32(descriptor - 1))
            }
            first = descriptor + 1
        }
        _ = linux_close_range(UInt32(first), .max)
    }

    /// Puts `/dev/null` where standard input, output or error are not open at all.
    ///
    /// Else the next file opened would get such a number, and log lines would go into it. The
    /// programs executed find the numbers closed, as they would have without us.
    public static func occupyStandardStreams() {
        for descriptor in Int32(0)...2 where !isOpen(descriptor) {
            // The lowest free number is this one, for those below are taken.
            _ = linux_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0)
        }
    }
}
