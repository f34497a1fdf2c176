internal import Foundation

/// A process that the kernel keeps from running, whoever tells it to go on.
///
/// A STOP would not do: secure-init undoes it. KILL ends a frozen process all the same.
///
/// Kernel: `cgroup.freeze` of `Documentation/admin-guide/cgroup-v2.rst`.
public final class FrozenProcess {
    private let pid: Int32
    private let group: URL
    private let formerGroup: URL
    private var isFrozen = true

    /// Where the second hierarchy of control groups is mounted, alone or beside the first; nil where it
    /// is not, or cannot be changed.
    static let hierarchy: URL? = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].lazy
        .map { URL(fileURLWithPath: $0) }
        .first {
            let members = $0.appendingPathComponent("cgroup.controllers").path
            return FileManager.default.fileExists(atPath: members)
                && access($0.path, W_OK) == 0
        }

    /// Freezes a process; returns when it stands still.
    public init(_ pid: Int32) throws {
        self.pid = pid
        guard let hierarchy = Self.hierarchy else { throw Failure(step: "no control groups") }
        let groups = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8)
        let line = groups.split(separator: "\n").first { $0.hasPrefix("0::") }
        formerGroup = hierarchy.appendingPathComponent(String(line?.dropFirst(3) ?? "/"))
        group = hierarchy.appendingPathComponent("secure-store-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: group, withIntermediateDirectories: false)
        do {
            try Self.write("\(pid)", to: group, "cgroup.procs")
            try Self.write("1", to: group, "cgroup.freeze")
            let events = group.appendingPathComponent("cgroup.events")
            guard
                waitUntil(
                    timeout: 20,
                    {
                        (try? String(contentsOf: events, encoding: .utf8))?.contains("frozen 1")
                            == true
                    }
                )
            else { throw Failure(step: "process \(pid) does not freeze") }
        } catch {
            thaw()
            throw error
        }
    }

    deinit {
        thaw()
    }

    /// Lets the process go on, if it is still there.
    public func thaw() {
        guard isFrozen else { return }
        isFrozen = false
        try? Self.write("0", to: group, "cgroup.freeze")
        try? Self.write("\(pid)", to: formerGroup, "cgroup.procs")
        // One that has ended leaves the group when it is reaped.
        _ = waitUntil(timeout: 20) { rmdir(group.path) == 0 || errno == ENOENT }
    }

    private static func write(_ text: String, to group: URL, _ file: String) throws {
        let handle = try FileHandle(forWritingTo: group.appendingPathComponent(file))
        defer { try? handle.close() }
        try handle.write(contentsOf: Data(text.utf8))
    }

    private struct Failure: Error, CustomStringConvertible {
        let step: String

        var description: String { step }
    }
}
