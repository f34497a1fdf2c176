internal import Glibc
internal import Linux
internal import Logging

/// What the server asks of the kernel before it holds a key.
enum Hardening {
    /// Keeps memory from debuggers and core dumps, and raises the limit on descriptors as far as
    /// needed and allowed.
    static func apply(connections: Int, logger: Logger) throws {
        do throws(Errno) {
            try CurrentProcess.refuseDumps()
        } catch {
            logger.warning("Memory cannot be kept from debuggers", metadata: ["cause": "\(error)"])
        }
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        if setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core) != 0 {
            logger.warning("Core dumps cannot be forbidden")
        }
        var files = rlimit()
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        // A connection each, and some for listeners, event loops and files.
        let wanted = rlim_t(connections + 64)
        guard getrlimit(kind, &files) == 0, files.rlim_cur < wanted else { return }
        files.rlim_cur = min(wanted, files.rlim_max)
        if setrlimit(kind, &files) != 0 || files.rlim_cur < wanted {
            logger.warning(
                "Fewer descriptors than connections",
                metadata: ["limit": "\(files.rlim_cur)", "wanted": "\(wanted)"]
            )
        }
    }
}
