internal import CLinux
internal import Glibc

/// A process to be started: what it executes and what it may do.
///
/// Everything between fork and exec happens in C, from a description made beforehand. The
/// corresponding C functions are `fork` and `execve`.
public struct ProcessStart {
    /// What the new process belongs to.
    public enum Grouping: Sendable {
        /// The group and session of this one.
        case inherited
        /// A process group of its own.
        case processGroup
        /// A session of its own, without a terminal.
        case session
    }

    /// Who the new process is.
    public struct Identity: Sendable, Equatable {
        /// User id.
        public let user: UInt32
        /// Group id.
        public let group: UInt32
        /// Supplementary groups.
        public let supplementaryGroups: [UInt32]

        /// Puts an identity together.
        public init(user: UInt32, group: UInt32, supplementaryGroups: [UInt32]) {
            self.user = user
            self.group = group
            self.supplementaryGroups = supplementaryGroups
        }
    }

    /// What the new process may do beyond its user's rights.
    public struct Capabilities: Sendable {
        /// What it can ever have.
        public let bounding: CapabilitySet
        /// What it has, where the user it becomes leaves it anything.
        public let permitted: CapabilitySet
        /// What an exec may keep.
        public let inheritable: CapabilitySet
        /// What an exec does keep.
        public let ambient: CapabilitySet

        /// Puts the sets together.
        public init(
            bounding: CapabilitySet,
            permitted: CapabilitySet,
            inheritable: CapabilitySet,
            ambient: CapabilitySet
        ) {
            self.bounding = bounding
            self.permitted = permitted
            self.inheritable = inheritable
            self.ambient = ambient
        }

        /// None at all.
        ///
        /// The bounding set is left alone: emptying it takes a capability itself, and
        /// `noNewPrivileges` makes it meaningless.
        public static let none = Capabilities(
            bounding: .all,
            permitted: [],
            inheritable: [],
            ambient: []
        )
    }

    /// Paths to try in turn; with several, the rules of `execvp`.
    public var candidates: [String]
    /// The arguments, from the program's name on.
    public var arguments: CStringArray
    /// The environment, null-terminated; must outlive the call.
    ///
    /// Where `LISTEN_PID` or `WATCHDOG_PID` names this process, the new one finds its own id.
    public var environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// Whether a file that is no program is given to `/bin/sh`, as `execvp` does.
    public var allowsShellScripts = false
    /// The child's number for a descriptor, and ours.
    public var descriptors: [(target: Int32, source: Int32)] = []
    /// Whether nothing but `descriptors` and standard error is inherited.
    public var isolatesDescriptors = false
    /// What the process belongs to.
    public var grouping = Grouping.inherited
    /// A terminal whose foreground group it becomes.
    public var terminal: Int32?
    /// Signals it starts with blocked.
    public var blockedSignals: SignalSet = []
    /// Signals it starts with ignored.
    public var ignoredSignals: SignalSet = []
    /// Who it becomes; nil for the same.
    public var identity: Identity?
    /// What it may do; nil for the same.
    public var capabilities: Capabilities?
    /// Whether no exec can give it more.
    public var noNewPrivileges = false
    /// Whether nobody may look into it from its exec on; with `noNewPrivileges` only, and where we
    /// may change our group.
    ///
    /// The program then has to call ``CurrentProcess/useRealGroup()``, and to ask for
    /// `parentDeathSignal` again.
    public var isHidden = false
    /// Its limit on core dumps; nil for the same.
    public var coreLimit: CoreLimit?
    /// Where it starts; nil for the same.
    public var directory: String?
    /// Its file mode creation mask; nil for the same.
    public var fileModeMask: Int32?
    /// The signal it gets when we end.
    public var parentDeathSignal: Signal?

    /// Describes a process that differs in nothing from this one.
    public init(
        candidates: [String],
        arguments: CStringArray,
        environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) {
        self.candidates = candidates
        self.arguments = arguments
        self.environment = environment
    }

    /// Forks, and has the child execute.
    ///
    /// Returns at once; ``StartedProcess/report`` tells how the exec went.
    ///
    /// - Throws: `Errno` of `fork` or `pipe`.
    public func start() throws(Errno) -> StartedProcess {
        let pipe = try Pipe()
        try pipe.readEnd.setNonblocking()
        let paths = CStringArray(candidates)
        let shell = CStringArray(copying: shellArguments)
        let directory = CStringArray(directory.map { [$0] } ?? [])
        let mappings = descriptors.map {
            linux_descriptor_mapping(source: $0.source, target: $0.target)
        }
        let groups = identity?.supplementaryGroups ?? []

        var request = linux_spawn()
        request.candidates = UnsafePointer(paths.pointer)
        request.argv = UnsafePointer(arguments.pointer)
        request.envp = environment
        request.shell_argv = allowsShellScripts ? shell.pointer : nil
        request.directory = UnsafePointer(directory.pointer[0])
        request.isolate_descriptors = isolatesDescriptors
        request.failure_descriptor = pipe.writeEnd.rawValue
        describeSurroundings(in: &request)
        describeRights(in: &request)
        let pid = try mappings.withUnsafeBufferPointer { mappings throws(Errno) in
            try groups.withUnsafeBufferPointer { groups throws(Errno) in
                request.mappings = mappings.baseAddress
                request.mapping_count = mappings.count
                request.groups = groups.baseAddress
                request.group_count = groups.count
                return try valueOrErrno { linux_spawn(&request) }
            }
        }
        withExtendedLifetime((paths, shell, directory, arguments)) {}
        let (readEnd, writeEnd) = pipe.ends()
        _ = OwnedDescriptor(takingOwnershipOf: writeEnd)
        return StartedProcess(pid: pid, report: OwnedDescriptor(takingOwnershipOf: readEnd))
    }

    /// `/bin/sh`, a place for the script's path, and the arguments from the second on.
    private var shellArguments: [UnsafePointer<CChar>] {
        var pointers = [Self.shell, Self.shell]
        for index in 1..<max(1, arguments.count) {
            if let argument = arguments.pointer[index] { pointers.append(UnsafePointer(argument)) }
        }
        return pointers
    }

    // A literal's address is good for as long as the program runs.
    private static nonisolated(unsafe) let shell = UnsafeRawPointer(
        ("/bin/sh" as StaticString).utf8Start
    ).assumingMemoryBound(to: CChar.self)

    private func describeSurroundings(in request: inout linux_spawn) {
        switch grouping {
        case .inherited: request.grouping = LINUX_SPAWN_INHERIT
        case .processGroup: request.grouping = LINUX_SPAWN_PROCESS_GROUP
        case .session: request.grouping = LINUX_SPAWN_SESSION
        }
        request.terminal = terminal ?? -1
        request.signal_mask = blockedSignals.rawValue
        request.ignored_signals = ignoredSignals.rawValue
        request.file_mode_mask = fileModeMask ?? -1
        request.parent_death_signal = parentDeathSignal?.rawValue ?? 0
        if let coreLimit {
            request.set_core_limit = true
            request.core_soft = coreLimit.soft
            request.core_hard = coreLimit.hard
        }
    }

    private func describeRights(in request: inout linux_spawn) {
        if let identity {
            request.change_identity = true
            request.uid = identity.user
            request.gid = identity.group
        }
        if let capabilities {
            request.limit_capabilities = true
            request.bounding = capabilities.bounding.rawValue
            request.permitted = capabilities.permitted.rawValue
            request.inheritable = capabilities.inheritable.rawValue
            request.ambient = capabilities.ambient.rawValue
        }
        request.no_new_privileges = noNewPrivileges
        request.hide = isHidden
    }
}
