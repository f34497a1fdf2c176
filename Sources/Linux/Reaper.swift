internal import CLinux
internal import Glibc

/// What became of a child.
public struct ChildEnd: Sendable, Equatable {
    /// How it went.
    public enum Outcome: Sendable, Equatable {
        /// It called `exit` with this status.
        case exited(Int32)
        /// A signal ended it.
        case killed(Signal)
        /// A signal stopped it; it still lives.
        case stopped(Signal)
    }

    /// The child's process id; free for reuse unless it only stopped.
    public let pid: Int32
    /// How it went.
    public let outcome: Outcome

    /// What a shell would show: the status, or 128 + n.
    public var exitCode: Int32 {
        switch outcome {
        case .exited(let status): status
        case .killed(let signal), .stopped(let signal): 128 + signal.rawValue
        }
    }
}

/// Takes ended children off the kernel's list.
///
/// The corresponding C function is `waitid`.
public enum Reaper {
    /// The next child that has ended or stopped; nil when there is none now.
    ///
    /// - Parameter includingStopped: Whether children that only stopped count.
    /// - Returns: What became of it, or nil.
    public static func next(includingStopped: Bool = false) -> ChildEnd? {
        while true {
            var end = linux_child_end()
            guard linux_next_child(&end, includingStopped) == 0 else {
                if Errno.current == .interrupted { continue }
                return nil
            }
            guard end.pid != 0 else { return nil }
            return ChildEnd(pid: end.pid, outcome: outcome(of: end))
        }
    }

    /// Whether there is any child at all, ended or not.
    public static var hasChildren: Bool { linux_has_children() == 1 }

    private static func outcome(of end: linux_child_end) -> ChildEnd.Outcome {
        guard end.code != CLD_EXITED, let signal = Signal(rawValue: end.value) else {
            return .exited(end.value)
        }
        return end.code == CLD_STOPPED ? .stopped(signal) : .killed(signal)
    }
}
