import Foundation
import TestSupport
import Testing

/// Memory in which keys and credentials lie is never swapped out, where the kernel permits that.
///
/// The control: secure-init without the limit and the capability to lock any.
@Suite(.requires(.fuse, .executables, .tool("openssl"), .tool("setpriv"), .tool("prlimit")))
struct `Memory with secrets` {
    private static let forbidden = [
        "prlimit", "--memlock=0:0", "setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock",
    ]

    /// How much of it a process has locked, in KiB.
    private func locked(_ process: String, of device: Device) throws -> Int {
        let pid = try device.pid(of: process)
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmLck:") })
        return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1]))
    }

    @Test(arguments: [false, true])
    func `is locked in the worker`(_ isForbidden: Bool) throws {
        let volume = try DemoVolume()
        let device = try Device(
            volume.options + ["sleep", "60"],
            wrapper: isForbidden ? Self.forbidden : [],
            directory: volume.directory.path
        )
        try device.process.waitForOutput(containing: "command started")
        #expect(try (locked(Attempt.worker, of: device) > 0) == !isForbidden)
        try device.stop()
    }

    @Test(arguments: [false, true])
    func `is locked in supervisor and fetcher while they wait`(_ isForbidden: Bool) throws {
        let device = try WaitingDevice(wrapper: isForbidden ? Self.forbidden : []).device
        for process in ["secure-init", Attempt.fetcher] {
            #expect(try (locked(process, of: device) > 0) == !isForbidden, "\(process)")
        }
        try device.stop()
    }
}
