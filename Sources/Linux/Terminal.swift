internal import Glibc

/// A terminal by the descriptor of a standard stream.
public enum Terminal {
    /// Standard input, output or error, where one is this session's terminal; nil for none.
    ///
    /// The corresponding C function is `tcgetpgrp`.
    public static var controlling: Int32? {
        for descriptor in Int32(0)...2 where tcgetpgrp(descriptor) != -1 { return descriptor }
        return nil
    }

    /// The process group in the foreground; nil when it is no terminal of ours.
    public static func foregroundGroup(of terminal: Int32) -> Int32? {
        let group = tcgetpgrp(terminal)
        return group > 0 ? group : nil
    }

    /// Whether this process is in the foreground.
    ///
    /// A group of another pid namespace has no number here, so that one cannot be told from another:
    /// such a process counts as in the foreground where the foreground is such a group.
    public static func isInForeground(of terminal: Int32) -> Bool {
        tcgetpgrp(terminal) == getpgrp()
    }

    /// Puts a process group into the foreground.
    ///
    /// `SIGTTOU` must be blocked or ignored, as it is with every signal blocked. The corresponding
    /// C function is `tcsetpgrp`.
    public static func setForegroundGroup(_ group: Int32, of terminal: Int32) throws(Errno) {
        _ = try valueOrErrno { tcsetpgrp(terminal, group) }
    }

    /// The process group of this process.
    public static var ownGroup: Int32 { getpgrp() }
}
