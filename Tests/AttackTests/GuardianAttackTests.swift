import Foundation
import TestSupport
import Testing

/// The guardian of a volume, where secure-init is not process 1, and who is in the container beside it.
///
/// Weakened for the control: a shell with every capability.
@Suite(.requires(.fuse, .executables, .tool("setpriv"), .tool("nsenter")))
struct `The guardian of a mount` {
    private static let ways = Attempt.into(Attempt.guardian, memory: .enters)
    private static let signals = ["signal", "tgkill"].map { "\(Attempt.guardian):\($0)" }

    /// A device whose process 1 is a shell, which stays when secure-init was killed.
    private func device(_ volume: DemoVolume, _ command: [String]) throws -> Device {
        try Device(
            volume.options + command,
            wrapper: ["sh", "-c", "\"$@\"; s=$?; [ $s = 137 ] && sleep 60; exit $s", "sh"],
            directory: volume.directory.path
        )
    }

    @Test func `is closed to root and to another user, its pipe too`() throws {
        let volume = try DemoVolume()
        let device = try device(volume, ["sleep", "60"])
        try device.process.waitForOutput(containing: "command started")
        func report(_ shell: Device.Shell) throws -> Report {
            try device.attack(Self.ways.map(\.name), from: shell, lookingFor: [])
        }
        let (root, user, control) = (try report(.root), try report(.user), try report(.unlimited))
        for attempt in Self.ways {
            try attempt.expectRefusal(root, control: control)
            try attempt.expectRefusal(user, control: control)
        }
        kill(try device.pid(of: "secure-init"), SIGTERM)
        #expect(try device.process.wait().status == 143)
    }

    @Test func `takes no signal from another user`() throws {
        let volume = try DemoVolume()
        let device = try device(volume, ["sleep", "60"])
        try device.process.waitForOutput(containing: "command started")
        let user = try device.attack(Self.signals, from: .user, lookingFor: [])
        let control = try device.attack(Self.signals, from: .unlimited, lookingFor: [])
        for attempt in Self.signals {
            #expect(try user.result(of: attempt) == EPERM)
            #expect(try control.result(of: attempt) == 0)
        }
        try device.stop()
    }

    /// The app as root, which may signal every process of its user; in its own group and in all.
    @Test func `is not ended by an app that ends everything it may`() throws {
        let volume = try DemoVolume()
        let script =
            "trap '' TERM INT HUP; for s in TERM INT HUP QUIT PIPE USR1 RTMIN; do "
            + "for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" = secure-init-mnt ] "
            + "&& kill -$s ${p#/proc/}; done; done; "
            + "for p in /proc/[0-9]*; do cat $p/comm; done; "
            + "kill -KILL $PPID; echo killed; "
            + "while grep -q \" $PWD/decrypted \" /proc/self/mountinfo; do :; done; echo gone; "
            + "sleep 60"
        let device = try device(volume, ["sh", "-c", script])
        try device.process.waitForOutput(containing: "killed")
        #expect(device.process.text.contains(Attempt.guardian), "by then it still was")
        try device.process.waitForOutput(containing: "its volume is unmounted")
        #expect(
            waitUntil(timeout: 10) { device.process.text.hasSuffix("killed\ngone\n") },
            "\(device.process.text)"
        )
    }
}
