internal import CLinux

/// Capabilities: bit n stands for capability n.
///
/// The corresponding C constants are `CAP_CHOWN` and its kin, in `capability.h`.
public struct CapabilitySet: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt64

    /// Wraps the kernel's bits.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Change owners of files.
    public static let changeOwner = CapabilitySet(rawValue: 1 << 0)
    /// Bypass permission checks on files.
    public static let overrideAccess = CapabilitySet(rawValue: 1 << 1)
    /// Bypass permission checks for reading files and searching directories.
    public static let overrideRead = CapabilitySet(rawValue: 1 << 2)
    /// Act as any file's owner.
    public static let fileOwner = CapabilitySet(rawValue: 1 << 3)
    /// Keep set-user-ID and set-group-ID bits on changed files.
    public static let keepSetIdentity = CapabilitySet(rawValue: 1 << 4)
    /// Change one's user.
    public static let setUser = CapabilitySet(rawValue: 1 << 7)
    /// Take capabilities out of one's bounding set.
    public static let setCapabilities = CapabilitySet(rawValue: 1 << 8)
    /// Lock memory beyond the limit.
    public static let lockMemory = CapabilitySet(rawValue: 1 << 14)
    /// Trace any process and read its memory.
    public static let trace = CapabilitySet(rawValue: 1 << 19)
    /// Mount, unmount, and much more.
    public static let administer = CapabilitySet(rawValue: 1 << 21)
    /// Make device files.
    public static let makeDevices = CapabilitySet(rawValue: 1 << 27)
    /// Watch any process with `perf_event_open`, its stack too; split off from ``administer`` in
    /// Linux 5.8.
    public static let monitorPerformance = CapabilitySet(rawValue: 1 << 38)
    /// Load programs into the kernel with `bpf`; split off from ``administer`` in Linux 5.8.
    public static let loadFilters = CapabilitySet(rawValue: 1 << 39)
    /// Follow `/proc/PID/map_files` of any process; split off from ``administer`` in Linux 5.9.
    public static let checkpoint = CapabilitySet(rawValue: 1 << 40)

    /// Every capability there is or may come.
    public static let all = CapabilitySet(rawValue: .max)
}

/// The capabilities of this process.
public struct ProcessCapabilities: Sendable {
    /// What the kernel checks.
    public let effective: CapabilitySet
    /// What may be made effective.
    public let permitted: CapabilitySet
    /// What may be kept over an exec.
    public let inheritable: CapabilitySet

    /// Asks the kernel.
    ///
    /// The corresponding C function is `capget`.
    public init() throws(Errno) {
        var sets = linux_capabilities()
        _ = try valueOrErrno { linux_get_capabilities(&sets) }
        effective = CapabilitySet(rawValue: sets.effective)
        permitted = CapabilitySet(rawValue: sets.permitted)
        inheritable = CapabilitySet(rawValue: sets.inheritable)
    }

    /// What no exec of this process or its children can regain once it is gone.
    ///
    /// - Parameter candidates: Which to ask for; each is a system call.
    /// - Returns: Those of them that are in the bounding set.
    ///
    /// The corresponding C function is `prctl` with `PR_CAPBSET_READ`.
    public static func bounding(among candidates: CapabilitySet = .all) -> CapabilitySet {
        var bits: UInt64 = 0
        for capability in Int32(0)..<64 where candidates.rawValue >> UInt64(capability) & 1 != 0 {
            switch linux_bounding_contains(capability) {
            case 1: bits |= 1 << UInt64(capability)
            case 0: continue
            default: return CapabilitySet(rawValue: bits)
            }
        }
        return CapabilitySet(rawValue: bits)
    }
}
