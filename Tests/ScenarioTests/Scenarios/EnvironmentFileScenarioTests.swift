import Foundation
import TestSupport
import Testing

/// `--env-file` beside the engine's own.
@Suite(.requires(.docker, .executables)) struct `A file of variables in a container` {
    /// One file each, of which Docker takes the first and refuses the others.
    private static let good =
        "\u{feff}A=1\r\n\n#C=1\n \t# C=2\n  B= 2 \nD=\"q\" # x\nE=$A\nF=\nG=a=b\nA=3\nH.i-j=k\n"
        + "I=\\\nJ='x'\nK=x\ry\n\tL=1\n"
    private static let bad = ["=x\n", "A B=1\n", "export A=1\n", "A\t=1\n"]

    @Test func `gives the command what the engine's own option would`() throws {
        let image = try Image.entrypoint(.distribution, [])
        let directory = try TemporaryDirectory()
        try directory.write(Self.good, to: "good.env")
        let theirs = try Docker.run([
            "run", "--rm", "--network", "none", "--env-file", directory("good.env"),
            "--entrypoint", "/usr/bin/env", image.name, "-0",
        ])
        let ours = try Docker.run([
            "run", "--rm", "--network", "none", "--volume", "\(directory("good.env")):/good.env:ro",
            image.name, "--env-only", "--env-file", "/good.env", "--", "env", "-0",
        ])
        #expect(theirs.status == 0, "\(theirs.errorText)")
        #expect(ours.status == 0, "\(ours.errorText)")
        #expect(Self.own(ours) == Self.own(theirs))
        #expect(Self.own(ours).count == 11)
    }

    @Test(arguments: bad) func `refuses what the engine refuses`(contents: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(contents, to: "bad.env")
        let theirs = try Docker.run([
            "run", "--rm", "--env-file", directory("bad.env"), "no-such-image",
        ])
        #expect(theirs.errorText.contains("invalid env file"))
        let ours = try Subprocess.run(
            Executables.secureInit,
            ["--env-only", "--env-file", directory("bad.env"), "--", "true"]
        )
        #expect(ours.status == 78)
    }

    /// The entries without those that an engine adds.
    private static func own(_ output: Subprocess.Output) -> Set<String> {
        let added = ["PATH=", "HOME=", "HOSTNAME="]
        return Set(output.text.split(separator: "\0").map(String.init)).filter { entry in
            !added.contains { entry.hasPrefix($0) }
        }
    }
}
