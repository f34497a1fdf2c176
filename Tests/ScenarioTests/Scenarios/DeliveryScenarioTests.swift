import Foundation
import TestSupport
import Testing

/// `--deliver file` in containers that may mount and that may not.
@Suite(.requires(.docker, .executables))
struct `Secrets as files in a container` {
    private static let environment = [
        "--env", "ENCRYPTED_TESTVAR=\(Original.encryptedVariable)", "--env",
        "KEY=\(Original.password)", "--network", "none",
    ]
    private static let options = ["--env-only", "--key-source", "env:KEY", "--deliver", "file"]

    @Test func `are mounted where the container may mount, and for nobody else`() throws {
        let image = try Image.entrypoint(.distribution, [])
        let container = try Container(
            image.name,
            options: Self.environment + [
                "--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined", "--read-only",
            ],
            Self.options + ["--deliver-dir", "/mnt", "--user", "4711", "--", "sleep", "60"]
        )
        #expect(container.waitForLog(containing: "command started"), "\(container.log)")
        #expect(container.log.contains("secrets are in files directory=/mnt"))
        let exec = { (user: String) in
            try Docker.run(["exec", "--user", user, container.name, "cat", "/mnt/TESTVAR"])
        }
        #expect(try exec("4711").text == Original.variable)
        // What is said of root, and of anybody else.
        #expect(try exec("0").text == Original.variable)
        let other = try exec("4712")
        #expect(other.status != 0)
        #expect(other.text.isEmpty)
        #expect(try container.stop().code == 143)
    }

    @Test func `are sealed memory where it may do nothing`() throws {
        let image = try Image.entrypoint(.distribution, [])
        let output = try Docker.run(
            ["run", "--rm", "--cap-drop", "ALL", "--read-only", "--user", "65534:65534"]
                + Self.environment + [image.name] + Self.options
                + ["--", "sh", "-c", "cat $TESTVAR_FILE; echo x >$TESTVAR_FILE"]
        )
        #expect(output.text == Original.variable, "\(output.errorText)")
        #expect(output.status != 0, "nobody writes to it")
        #expect(output.errorText.contains("secrets are in sealed memory"))
    }
}
