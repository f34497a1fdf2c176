internal import CLinux

/// A process between fork and exec, or beyond.
public struct StartedProcess: ~Copyable {
    /// What the child could not do before it was to execute.
    public struct Failure: Error, Equatable, Sendable {
        /// What it was doing.
        public enum Stage: Int32, Sendable {
            /// Joining its process group or session.
            case grouping = 1
            /// Taking the terminal.
            case terminal
            /// Putting its descriptors in place.
            case descriptors
            /// Setting resource limits.
            case limits
            /// Changing into its directory.
            case directory
            /// Giving up capabilities for good.
            case bounding
            /// Becoming another user.
            case identity
            /// Giving up capabilities.
            case capabilities
            /// Renouncing new privileges.
            case noNewPrivileges
            /// Asking for the parent's death signal.
            case parentDeath
            /// Restoring signals.
            case signals
            /// Executing the program.
            case execution
        }

        /// What it was doing.
        public let stage: Stage
        /// What the kernel said.
        public let errno: Errno

        /// Puts a failure together.
        public init(stage: Stage, errno: Errno) {
            self.stage = stage
            self.errno = errno
        }
    }

    /// How the exec went.
    public enum Report: Equatable, Sendable {
        /// Not there yet.
        case pending
        /// The program runs.
        case executed
        /// The child ended, or is about to.
        case failed(Failure)
    }

    /// The child's process id.
    public let pid: Int32

    /// Readable once the exec went one way or the other.
    public let descriptor: OwnedDescriptor

    init(pid: Int32, report: consuming OwnedDescriptor) {
        self.pid = pid
        descriptor = report
    }

    /// How the exec went, without waiting for it.
    public borrowing func report() -> Report {
        var record = linux_spawn_failure()
        let count: Int?
        do throws(Errno) {
            count = try withUnsafeMutableBytes(of: &record) { bytes throws(Errno) in
                try descriptor.readAvailable(into: bytes)
            }
        } catch {
            return .failed(Failure(stage: .execution, errno: error))
        }
        switch count {
        case nil:
            return .pending
        case 0:
            return .executed
        default:
            return .failed(
                Failure(
                    stage: Failure.Stage(rawValue: record.stage) ?? .execution,
                    errno: Errno(rawValue: record.code)
                )
            )
        }
    }
}

extension StartedProcess.Failure: CustomStringConvertible {
    /// What was tried and what the kernel said.
    public var description: String {
        let tried =
            switch stage {
            case .grouping: "cannot make a process group"
            case .terminal: "cannot take the terminal"
            case .descriptors: "cannot arrange descriptors"
            case .limits: "cannot set resource limits"
            case .directory: "cannot change directory"
            case .bounding: "cannot give up capabilities for good"
            case .identity: "cannot become the user"
            case .capabilities: "cannot give up capabilities"
            case .noNewPrivileges: "cannot renounce new privileges"
            case .parentDeath: "cannot ask for the parent's death signal"
            case .signals: "cannot restore signals"
            case .execution: "cannot execute"
            }
        return "\(tried): \(errno)"
    }
}
