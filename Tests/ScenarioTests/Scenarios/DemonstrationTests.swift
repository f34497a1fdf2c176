import Foundation
import TestSupport
import Testing

/// `make demo` and `make demo-fleet`, as somebody sees them who has just cloned this.
@Suite(
    .requires(
        .docker,
        .executables,
        .fuse,
        .tool("busybox"),
        .tool("python3"),
        .tool("unshare"),
        .tool("pgrep")
    )
)
struct `The demonstrations` {
    @Test(.timeLimit(.minutes(4)), arguments: ["demo", "demo-fleet"])
    func `show what they say, and every fact holds`(name: String) throws {
        let output = try Subprocess.run(
            Fixtures.path("../../scripts/\(name)"),
            environment: Docker.environment,
            timeout: 220
        )
        #expect(output.status == 0, "\(output.text)\(output.errorText)")
        #expect(output.text.hasSuffix("Everything above happened.\n"), "\(output.text)")
        #expect(output.text.split(separator: "\n").filter { $0.contains("✔") }.count > 15)
    }
}
