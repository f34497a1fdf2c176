internal import Glibc

/// A process group of the session.
public enum ProcessGroup {
    /// Makes a child the leader of a group of its own, unless it is already or has executed.
    ///
    /// The corresponding C function is `setpgid`.
    public static func make(_ child: Int32) {
        // The child does the same; whoever comes second fails or changes nothing.
        _ = setpgid(child, child)
    }
}
