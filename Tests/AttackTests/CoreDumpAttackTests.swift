import Foundation
import TestSupport
import Testing

/// A process of ours that faults leaves no core dump, wherever the machine puts those.
///
/// Weakened for the control: a debugger with every capability has had the process made dumpable.
@Suite(.requires(.fuse, .corePattern, .executables, .tool("openssl")), .serialized)
struct `A core dump` {
    /// Whose.
    enum Victim: String, CaseIterable, CustomTestStringConvertible {
        case supervisor = "secure-init"
        case worker = "secure-init-vol"
        case fetcher = "secure-init-key"

        var testDescription: String { rawValue }
    }

    @Test(arguments: Victim.allCases)
    func `is not made by a fault, in a file nor through a pipe`(_ victim: Victim) throws {
        for isPiped in [false, true] {
            #expect(try dump(of: victim, isPiped: isPiped, isOpenedUp: false) == nil)
        }
    }

    /// Limits do not hold a pipe back; being closed to others does.
    @Test(arguments: Victim.allCases)
    func `is made of the same process once it is open`(_ victim: Victim) throws {
        let dump = try dump(of: victim, isPiped: true, isOpenedUp: true)
        #expect(dump?.starts(with: Data("\u{7f}ELF".utf8)) == true)
    }

    /// The control of the file: the supervisor's limit is soft, so that its command has its own.
    @Test func `goes to a file once limit and process are open`() throws {
        #expect(try dump(of: .supervisor, isPiped: false, isOpenedUp: true) != nil)
    }

    /// What lies in locked memory stays out even then.
    @Test func `of an open worker holds no key`() throws {
        let dump = try dump(of: .worker, isPiped: true, isOpenedUp: true)
        let key = try DemoVolume().secrets()[1]
        #expect(try #require(dump).range(of: Data(key)) == nil)
    }

    /// The core dump that a fault leaves, if it leaves one.
    private func dump(of victim: Victim, isPiped: Bool, isOpenedUp: Bool) throws -> Data? {
        let directory = try TemporaryDirectory()
        chmod(directory.path, 0o777)
        // By number: `unshare`, outside, dies of the signal that its child died of.
        let pattern = directory("core.%P")
        // The kernel executes it where the machine's own processes are, so from a place all can see.
        let catcher = directory("catcher")
        try FileManager.default.copyItem(atPath: Attacker.program, toPath: catcher)
        let rule = try CorePattern(isPiped ? "|\(catcher) catch-core \(pattern)" : pattern)
        defer { withExtendedLifetime(rule) {} }
        let (device, volume) = try start(victim)
        defer { withExtendedLifetime(volume) {} }
        let pid = try device.pid(of: victim.rawValue)
        let core = directory("core.\(pid)")
        if isOpenedUp {
            #expect(try Attacker.run("open-up", "\(pid)").status == 0)
            if !isPiped {
                let limit = try Subprocess.run("prlimit", ["--pid=\(pid)", "--core=unlimited:"])
                #expect(limit.status == 0, "\(limit.errorText)")
            }
        }
        #expect(try Attacker.run("fault", "\(pid)").status == 0)
        // The kernel has written the dump when the process is gone.
        #expect(waitUntil(timeout: 30) { kill(pid, 0) == -1 || Self.isZombie(pid) })
        if victim == .fetcher { try device.stop() } else { try device.process.wait() }
        // The helper of a pipe ends when it has read to the end; nothing waits for it.
        if isOpenedUp { _ = waitUntil(timeout: 30) { Self.size(core) > 0 } }
        var last = -1
        _ = waitUntil(timeout: 30) {
            defer { last = Self.size(core) }
            usleep(50_000)
            return last == Self.size(core)
        }
        return FileManager.default.contents(atPath: core)
    }

    private func start(_ victim: Victim) throws -> (Device, DemoVolume?) {
        guard victim != .fetcher else { return (try WaitingDevice().device, nil) }
        let volume = try DemoVolume()
        let device = try Device(
            volume.options + ["sleep", "60"],
            directory: volume.directory.path
        )
        try device.process.waitForOutput(containing: "command started")
        return (device, volume)
    }

    private static func isZombie(_ pid: Int32) -> Bool {
        let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return text?.contains(") Z ") ?? true
    }

    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}

/// The machine's core pattern, ours for as long as this lives; other test runs wait for their turn.
private final class CorePattern {
    private static let path = "/proc/sys/kernel/core_pattern"
    private let before: String
    private let lock: Int32

    init(_ pattern: String) throws {
        lock = open("/tmp/secure-store-core-pattern.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        flock(lock, LOCK_EX)
        before = try String(contentsOfFile: Self.path, encoding: .utf8)
        try pattern.write(toFile: Self.path, atomically: false, encoding: .utf8)
    }

    deinit {
        try? before.write(toFile: Self.path, atomically: false, encoding: .utf8)
        close(lock)
    }
}
