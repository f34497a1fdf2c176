import Foundation
import TestSupport
import Testing

@Suite(.requires(.tool("systemd-analyze"))) struct `The example unit for systemd` {
    private func analyze(_ unit: String, _ arguments: String...) throws -> Subprocess.Output {
        let directory = try TemporaryDirectory()
        let file = try directory.write(unit, to: "secure-store.service")
        return try Subprocess.run("systemd-analyze", arguments + [file])
    }

    private func unit() throws -> String {
        let path = Fixtures.path("../../examples/systemd/secure-store.service")
        // What is checked must exist; the executable is not installed here.
        return try String(contentsOfFile: path, encoding: .utf8)
            .replacing("/usr/local/bin/secure-store", with: "/bin/true")
    }

    @Test func `is one that systemd understands`() throws {
        let output = try analyze(unit(), "verify")
        #expect(output.status == 0)
        #expect(output.errorText.isEmpty, "\(output.errorText)")
        let typo = try analyze(unit().replacing("ProtectHome=", with: "ProtectHomes="), "verify")
        #expect(typo.errorText.contains("ProtectHomes"), "the control")
    }

    @Test func `leaves the server little it does not need`() throws {
        let output = try analyze(unit(), "security", "--offline=true", "--threshold=15")
        #expect(output.status == 0, "\(output.text)")
        let open = try analyze(
            unit().replacing("\nCapabilityBoundingSet=\n", with: "\n"),
            "security",
            "--offline=true",
            "--threshold=15"
        )
        #expect(open.status != 0, "the control")
    }
}
