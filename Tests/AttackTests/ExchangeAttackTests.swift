import Foundation
import TestSupport
import Testing

/// Somebody who may write to the directory above the mount point exchanges that for a symbolic link to
/// another directory, without end.
@Suite(.requires(.fuse, .executables))
struct `A mount point that is being exchanged` {
    /// Starts the exchange beside what follows, in the same mount namespace, once it goes on.
    private static let beside = [
        "sh", "-c",
        "mkfifo said; \"$0\" exchange decrypted link >said & read line <said; exec \"$@\"",
        Attacker.program,
    ]

    private func volume() throws -> DemoVolume {
        let volume = try DemoVolume()
        try FileManager.default.createDirectory(
            atPath: volume.view,
            withIntermediateDirectories: false
        )
        try volume.directory.write("kept", to: "victim/kept")
        try FileManager.default.createSymbolicLink(
            atPath: volume.directory("link"),
            withDestinationPath: "victim"
        )
        return volume
    }

    @Test func `is mounted on itself, or the start ends`() throws {
        var mounted = 0
        var refused = 0
        for _ in 0..<100 where mounted < 3 || refused < 3 {
            let volume = try volume()
            let device = try Device(
                volume.options + ["cat", "decrypted/test1", "victim/kept"],
                wrapper: Self.beside,
                directory: volume.directory.path
            )
            let output = try device.process.wait()
            if output.status == 0 {
                mounted += 1
                #expect(output.text == "This is an encrypted test file\nkept")
            } else {
                refused += 1
                #expect(output.text.isEmpty)
                #expect(
                    output.errorText.contains("is not empty, and mounting would hide")
                        || output.errorText.contains("was exchanged for another directory"),
                    "\(output.status): \(output.errorText)"
                )
            }
        }
        #expect(mounted > 0 && refused > 0, "\(mounted) mounted, \(refused) refused")
    }

    /// The control: the same exchange, and a program that looks at a path and mounts on it.
    @Test func `would have another directory hidden, were its path trusted`() throws {
        let volume = try volume()
        let exchange = try Subprocess.start(
            Attacker.program,
            ["exchange", "decrypted", "link"],
            directory: volume.directory.path
        )
        defer { exchange.signal(SIGKILL) }
        try exchange.waitForOutput(containing: "exchanging")
        let output = try Subprocess.run(
            "unshare",
            ["--mount", Attacker.program, "mount-naively", "decrypted", "victim/kept"],
            directory: volume.directory.path,
            timeout: 90
        )
        #expect(output.status == 0, "\(output.errorText)")
    }
}
