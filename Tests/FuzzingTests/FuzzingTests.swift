import Foundation
import TestSupport
import Testing

/// A short run of every fuzzing target.
///
/// Enough to replay the corpus and to show that all of it
/// still builds. `Fuzzing/run` runs longer.
@Suite(.serialized) struct `Fuzzing` {
    private static let script = URL(fileURLWithPath: Fixtures.path("../../Fuzzing/run"))
        .standardizedFileURL.path

    @Test func `finds nothing in a short run`() throws {
        let output = try Subprocess.run(Self.script, ["1"], timeout: 1_200)
        #expect(output.status == 0, "\(output.text)\(output.errorText)")
        for target in [
            "content", "names", "configuration", "gocryptfsContent", "gocryptfsNames",
            "gocryptfsConfiguration", "writeNotes", "variables", "keys", "answer", "request",
            "enrolment", "token", "rules", "proxyHeader",
        ] {
            #expect(output.text.contains("fuzzing \(target) for 1 s"))
        }
    }

    @Test func `finds a planted bug`() throws {
        let output = try Subprocess.run(Self.script, ["60", "planted"], timeout: 1_200)
        #expect(output.status == 1)
        #expect(output.text.contains("planted-crash-"), "\(output.text)")
        let findings = URL(fileURLWithPath: Self.script).deletingLastPathComponent()
            .appendingPathComponent("findings")
        let names = try FileManager.default.contentsOfDirectory(atPath: findings.path)
        #expect(names.contains { $0.hasPrefix("planted-crash-") })
        try FileManager.default.removeItem(at: findings)
    }
}
