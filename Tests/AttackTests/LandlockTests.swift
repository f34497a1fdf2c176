import Foundation
import TestSupport
import Testing

/// A kernel without Landlock: a filter put around secure-init says so.
@Suite(.requires(.fuse, .executables))
struct `Without Landlock` {
    @Test(arguments: [true, false])
    func `the volume is served, and one line says what is missing`(_ isMissing: Bool) throws {
        let volume = try DemoVolume()
        let device = try Device(
            volume.options + ["cat", "decrypted/test1"],
            wrapper: isMissing ? [Attacker.program, "without-landlock"] : [],
            directory: volume.directory.path
        )
        let output = try device.process.wait()
        #expect(output.text == "This is an encrypted test file\n")
        let lines = output.errorText.split(separator: "\n").filter { $0.contains("Landlock") }
        #expect(lines.count == (isMissing ? 1 : 0), "\(output.errorText)")
    }
}
