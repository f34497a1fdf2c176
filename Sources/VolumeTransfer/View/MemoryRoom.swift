internal import Linux

/// How much memory this process's files could take.
enum MemoryRoom {
    /// Bytes: what the machine could free, and what the container's limit leaves, the lesser.
    static var available: UInt64 { min(ofMachine ?? .max, ofContainer ?? .max) }

    /// Whether there is a device that memory may be swapped out to.
    static var hasSwap: Bool {
        // A heading, then a line each.
        (text("/proc/swaps") ?? "").split(separator: "\n").count > 1
    }

    private static var ofMachine: UInt64? {
        let line = text("/proc/meminfo")?.split(separator: "\n")
            .first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 << 10 }
    }

    /// By control groups, version 2: `max` is no number.
    private static var ofContainer: UInt64? {
        guard let limit = number("/sys/fs/cgroup/memory.max"),
            let used = number("/sys/fs/cgroup/memory.current")
        else { return nil }
        return limit > used ? limit - used : 0
    }

    private static func number(_ path: String) -> UInt64? {
        text(path).flatMap { UInt64($0.prefix { $0 != "\n" }) }
    }

    private static func text(_ path: String) -> String? {
        (try? SmallFile.read(path: path, limit: 64 << 10))
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
