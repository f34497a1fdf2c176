import TestSupport
import Testing

/// The first way: an ENTRYPOINT in a Dockerfile.
@Suite(.requires(.docker, .executables, .fuse, .tool("busybox")))
struct `An entrypoint in a Dockerfile` {
    @Test(arguments: Base.allCases)
    func `shows the original's content and variable to the command`(_ base: Base) throws {
        let image = try Image.entrypoint(
            base,
            [
                "--key-source", "file:/run/key", "--storage", "/app/storage",
                "--config", "/app/encrypt.conf", "--mount", "/app/decrypted", "--",
            ]
        )
        let secrets = try TemporaryDirectory()
        try secrets.write(Original.password, to: "key", mode: 0o600)

        let output = try Docker.run(
            ["run", "--rm", "--name", Docker.uniqueName("entrypoint")] + fuseOptions + [
                "--volume", "\(secrets("key")):/run/key:ro",
                "--volume", "\(Original.storage):/app/storage",
                "--volume", "\(Original.configuration):/app/encrypt.conf",
                "--env", "ENCRYPTED_TESTVAR=\(Original.encryptedVariable)",
                image.name,
                "sh", "-c", "cd /app/decrypted && sha256sum * && echo \"[$TESTVAR]\" && exit 7",
            ]
        )

        #expect(
            output.text == Original.checksums + "\n[\(Original.variable)]\n",
            "\(output.errorText)"
        )
        #expect(output.status == 7, "the command's own code comes out")
    }

    @Test(arguments: Base.allCases)
    func `reaps what the command leaves behind`(_ base: Base) throws {
        let image = try Image.entrypoint(base, ["--key-source", "env:KEY", "--env-only", "--"])
        let container = try Container(
            image.name,
            options: ["--env", "KEY=irrelevant"],
            [
                "sh", "-c",
                "for i in 1 2 3 4 5 6 7 8; do (sh -c 'sleep 0.2' &) ; done; echo left; sleep 60",
            ]
        )
        #expect(container.waitForLog(containing: "left"), "\(container.log)")

        let settled = waitUntil(timeout: 10) {
            let processes = try? container.execute("sh", "-c", "cat /proc/[0-9]*/stat").text
            let lines = (processes ?? "").split(separator: "\n")
            // secure-init, the shell, its sleep; and those that are only looking.
            return lines.count { $0.contains("(sleep)") } == 1
                && !lines.contains { $0.contains(") Z ") }
        }

        #expect(settled, "zombies or orphans are left")
    }

    @Test func `answers for a command that does not exist or cannot run`() throws {
        let image = try Image.entrypoint(.scratch, ["--key-source", "env:KEY", "--env-only", "--"])
        let run = { (arguments: [String]) in
            try Docker.run(["run", "--rm", "--env", "KEY=irrelevant", image.name] + arguments)
        }

        #expect(try run(["/no/such/program"]).status == 127)
        #expect(try run(["/proc/version"]).status == 126)
        #expect(try run([]).status == 64)
    }
}
