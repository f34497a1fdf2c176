import TestSupport
import Testing

/// The third way: variables only, in a container that may do nothing.
@Suite(.requires(.docker, .executables, .tool("busybox")))
struct `Variables only` {
    /// Who the image says its processes are.
    enum User: String, CaseIterable, CustomTestStringConvertible {
        case root = "0:0"
        case nobody = "65534:65534"

        var testDescription: String { rawValue }
    }

    @Test(arguments: Base.allCases, User.allCases)
    func `need no device, no capability, no writable file`(_ base: Base, _ user: User) throws {
        let image = try Image.entrypoint(base, ["--key-source", "file:/key", "--env-only", "--"])
        let secrets = try TemporaryDirectory()
        try secrets.write(Original.password, to: "key", mode: 0o444)

        let output = try Docker.run(
            [
                "run", "--rm", "--user", user.rawValue, "--cap-drop", "ALL", "--read-only",
                "--network", "none", "--security-opt", "no-new-privileges",
                "--volume", "\(secrets("key")):/key:ro",
                "--env", "ENCRYPTED_TESTVAR=\(Original.encryptedVariable)",
                image.name,
                "sh", "-c",
                "echo \"$TESTVAR $(id -u):$(id -g)\"; grep CapEff /proc/self/status; ls /dev/fuse",
            ]
        )

        let lines = output.text.split(separator: "\n")
        #expect(lines.first == "\(Original.variable) \(user.rawValue)", "\(output.errorText)")
        #expect(lines.last?.hasSuffix("0000000000000000") == true)
        #expect(output.status != 0, "/dev/fuse is not there, which is what ls says")
    }

    @Test func `say which flags a volume would need`() throws {
        let image = try Image.entrypoint(.scratch, ["--key-source", "env:KEY", "--"])
        let output = try Docker.run(["run", "--rm", "--env", "KEY=k", image.name, "true"])

        #expect(output.status == 71 || output.status == 78)
        #expect(output.errorText.contains("--device /dev/fuse"))
        #expect(output.errorText.contains("--cap-add SYS_ADMIN"))
    }
}
