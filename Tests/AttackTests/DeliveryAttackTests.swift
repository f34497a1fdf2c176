import Foundation
import TestSupport
import Testing

/// Secrets that `--deliver file` has mounted, and who is in the container beside the command.
///
/// Weakened for the control: a shell with every capability.
@Suite(.requires(.fuse, .executables, .tool("setpriv"), .tool("nsenter")))
struct `Mounted secrets` {
    private let directory: TemporaryDirectory
    private let place: String

    init() throws {
        directory = try TemporaryDirectory()
        chmod(directory.path, 0o755)
        try directory.write(DemoVolume.password, to: "key", mode: 0o600)
        place = directory("secrets")
    }

    private func device() throws -> Device {
        let device = try Device(
            [
                "--env-only", "--key-source", "file:\(directory("key"))", "--deliver", "file",
                "--deliver-dir", place, "--user", "4712:4712", "sleep", "60",
            ],
            environment: ["ENCRYPTED_TESTVAR": DemoVolume.encryptedVariable],
            directory: directory.path
        )
        try device.process.waitForOutput(containing: "command started")
        return device
    }

    @Test func `are neither taken away nor covered, nor made writable`() throws {
        let device = try device()
        func report(_ shell: Device.Shell) throws -> Report {
            try device.attack(
                Attempt.mounts.map(\.name),
                from: shell,
                lookingFor: [],
                path: place
            )
        }
        let (root, user, control) = (try report(.root), try report(.user), try report(.unlimited))
        for attempt in Attempt.mounts {
            try attempt.expectRefusal(root, control: control)
            try attempt.expectRefusal(user, control: control)
        }
        try device.stop()
    }

    @Test func `are not read by another user, in whichever way it gets there`() throws {
        let device = try device()
        for path in ["\(place)/TESTVAR", "/proc/1/root\(place)/TESTVAR"] {
            func result(_ shell: Device.Shell) throws -> Int32 {
                try device.attack([":open"], from: shell, lookingFor: [], path: path)
                    .result(of: ":open")
            }
            #expect(try result(.user) == EACCES)
            #expect(try result(.unlimited) == 0)
        }
        try device.stop()
    }
}
