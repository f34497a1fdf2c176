internal import CLinux
internal import Glibc

/// The processes that `/proc` shows.
public enum ProcessTable {
    /// Every process id, in no order.
    ///
    /// The corresponding C function is `readdir` on `/proc`.
    public static func processes() throws(Errno) -> [Int32] {
        guard let directory = opendir("/proc") else { throw .current }
        defer { closedir(directory) }
        var processes: [Int32] = []
        while let entry = readdir(directory) {
            let pid = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { atoi($0) }
            }
            if pid > 0 { processes.append(pid) }
        }
        return processes
    }

    /// Every process that came from this one, itself left out.
    public static func descendants(of ancestor: Int32) throws(Errno) -> [Int32] {
        let parents = try processes().map { (pid: $0, parent: parent(of: $0)) }
        var found: Set<Int32> = [ancestor]
        var grew = true
        while grew {
            grew = false
            for process in parents {
                guard let parent = process.parent, found.contains(parent) else { continue }
                if found.insert(process.pid).inserted { grew = true }
            }
        }
        found.remove(ancestor)
        return Array(found)
    }

    /// Whether a process came from another.
    public static func isDescendant(_ pid: Int32, of ancestor: Int32) -> Bool {
        var current = pid
        // A chain longer than the table is no chain.
        for _ in 0..<4096 {
            guard let parent = parent(of: current), parent > 0 else { return false }
            if parent == ancestor { return true }
            current = parent
        }
        return false
    }

    /// The parent of a process; 0 for one that came into the namespace from outside, nil when there
    /// is no such process.
    public static func parent(of pid: Int32) -> Int32? { status(of: pid)?.parent }

    /// Whether a process runs no more; it may still wait to be reaped.
    ///
    /// One whose first thread has ended shows as a zombie as well, but its other threads run on.
    public static func hasEnded(_ pid: Int32) -> Bool {
        guard let status = status(of: pid) else { return true }
        return status.state == UInt8(ascii: "Z") && status.threadCount <= 1
    }

    /// Whether a process of this user and name waits for something that no signal but the end of
    /// the wait gets it out of.
    ///
    /// - Parameters:
    ///   - pid: The process.
    ///   - name: What it is called in lists, as far as that: 15 bytes.
    ///   - user: Its effective user.
    /// - Returns: False for one that is not there, too.
    public static func isStuck(_ pid: Int32, named name: String, user: UInt32) -> Bool {
        var status = stat()
        guard stat("/proc/\(pid)", &status) == 0, status.st_uid == user else { return false }
        guard let shown = try? SmallFile.read(path: "/proc/\(pid)/comm", limit: 64) else {
            return false
        }
        return shown.dropLast().elementsEqual(name.utf8)
            && Self.status(of: pid)?.state == UInt8(ascii: "D")
    }

    /// What is read of `/proc/PID/stat`.
    private struct Status {
        let state: UInt8
        let parent: Int32
        let threadCount: Int32
    }

    /// Format: `proc(5)`, `/proc/PID/stat`: pid, name in parentheses, then fields 3 (state), 4
    /// (parent), and on to 20 (number of threads), with a space between each two.
    private static func status(of pid: Int32) -> Status? {
        let descriptor = linux_openat(AT_FDCWD, "/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        let file = OwnedDescriptor(takingOwnershipOf: descriptor)
        return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            guard let count = try? file.readAvailable(into: buffer), count > 0 else { return nil }
            let text = buffer[..<count]
            // The name may hold anything, parentheses too, so the last one ends it.
            guard let close = text.lastIndex(of: UInt8(ascii: ")")), close + 2 < text.endIndex
            else { return nil }
            let fields = text[(close + 2)...].split(separator: UInt8(ascii: " "), maxSplits: 18)
            guard fields.count == 19, let state = fields[0].first else { return nil }
            return Status(
                state: state,
                parent: number(fields[1]),
                threadCount: number(fields[17])
            )
        }
    }

    private static func number(_ digits: Slice<UnsafeMutableRawBufferPointer>) -> Int32 {
        digits.reduce(0) { $0 &* 10 &+ Int32($1) &- Int32(UInt8(ascii: "0")) }
    }

    /// Sends a signal to a process.
    ///
    /// The corresponding C function is `kill`.
    public static func send(_ signal: Signal, to pid: Int32) throws(Errno) {
        _ = try valueOrErrno { Glibc.kill(pid, signal.rawValue) }
    }

    /// Sends a signal to every process there is but this one and process 1, in one step: none can
    /// fork away in between.
    ///
    /// The corresponding C function is `kill` with a process id of -1.
    public static func sendToAll(_ signal: Signal) throws(Errno) {
        _ = try valueOrErrno { Glibc.kill(-1, signal.rawValue) }
    }

    /// Sends a signal to every process of a group.
    ///
    /// The corresponding C function is `killpg`.
    public static func send(_ signal: Signal, toGroup group: Int32) throws(Errno) {
        _ = try valueOrErrno { Glibc.killpg(group, signal.rawValue) }
    }
}
