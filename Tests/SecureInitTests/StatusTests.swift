import Foundation
import KeyProtocol
import TestSupport
import Testing

@Suite(.requires(.root, .executables, .tool("openssl"), .tool("python3"), .tool("nsenter")))
struct `The status` {
    /// Every member, and those of its objects.
    private static let members = [
        "": [
            "version", "phase", "since", "for_ms", "pid", "key", "waiting", "fetcher", "volume",
            "command", "last_error",
        ],
        "key": ["source", "ids"], "waiting": ["cause", "attempts", "next_ms"],
        "fetcher": ["pid", "restarts"],
        "volume": ["storage", "mount", "view", "format", "mounted", "pid", "writer"],
        "command": ["name", "pid", "since", "for_ms"],
        "last_error": ["level", "message", "phase", "since", "for_ms"],
    ]

    /// Checks that there are these members and no others.
    private func checkMembers(_ output: Subprocess.Output) throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(output.standardOutput)) as? [String: Any]
        )
        #expect(Set(object.keys) == Set(Self.members[""] ?? []))
        for (name, value) in object {
            guard let inner = value as? [String: Any] else { continue }
            #expect(Set(inner.keys) == Set(Self.members[name] ?? []), "\(name)")
        }
        #expect(output.text.hasSuffix("}\n") && output.text.split(separator: "\n").count == 1)
    }

    @Test func `of one that waits says for whom, why, and when it asks again`() throws {
        let server = try KeyServerStub()
        let process = try InitProcess(
            ["--key-source", "https://localhost:\(server.port)", "--env-only", "sleep", "60"],
            environment: ["ENCRYPTED_TESTVAR": Sample.value].merging(try server.variables()) { $1 }
        )
        try process.process.waitForOutput(containing: "waiting for the key")
        let output = try process.waitForStatus(containing: "\"attempts\":2")
        try checkMembers(output)
        let answer = try StatusAnswer(output)
        #expect(answer.phase == "waiting-for-key")
        #expect(
            answer.key.source == "https://localhost:\(server.port)/" || answer.key.source != nil
        )
        #expect(answer.waiting?.cause?.contains("refuses connections") ?? false)
        #expect(answer.waiting?.nextMs != nil)
        #expect(answer.fetcher?.pid == 2 && answer.fetcher?.restarts == 0)
        #expect(answer.volume == nil && answer.command.pid == nil)
        #expect(answer.lastError?.message.hasPrefix("waiting for the key") ?? false)
        let text = try process.ask("status").text
        #expect(text.contains("phase       waiting-for-key for "))
        #expect(text.contains("; attempts: "))

        kill(try process.command(named: "secure-init-key"), SIGKILL)
        _ = try process.waitForStatus(containing: "\"restarts\":1")
        let health = try process.ask("health")
        #expect(health.status == 1)
        #expect(health.text.hasPrefix("the command does not run: waiting-for-key for "))
        #expect(health.text.contains("refuses connections"))

        try server.start()
        _ = try process.waitForStatus(containing: "\"phase\":\"running\"")
        server.stop()
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `of one that runs names the key, the volume and the command, and no secret`() throws
    {
        let (key, text) = Sample.generatedKey()
        let directory = try Sample.keyDirectory(text)
        let process = try InitProcess(
            ["--key-source", "file:\(directory("key"))", "sleep", "60"],
            environment: [
                "ENCRYPTED_TESTVAR": try Sample.encrypt(
                    Sample.plaintext,
                    as: "TESTVAR",
                    with: key
                ),
                "STORE_TOKEN": "token-sentinel-118",
            ],
            directory: directory.path
        )
        try process.process.waitForOutput(containing: "command started")
        let output = try process.ask("status", "--json")
        try checkMembers(output)
        let answer = try StatusAnswer(output)
        #expect(answer.phase == "running")
        #expect(answer.pid == 1)
        #expect(answer.key.ids == [try #require(key.generated).id])
        #expect(answer.volume?.mount == directory("decrypted"))
        #expect(answer.volume?.mounted ?? false)
        #expect(answer.volume?.format == "gocryptfs")
        #expect(answer.volume?.pid == 2)
        // The worker's own lock; its number is the container's, whoever asks.
        #expect(answer.volume?.writer?.hasPrefix("process 2 on ") ?? false)
        #expect(answer.command.name == "sleep")
        #expect(answer.command.pid != nil && answer.command.since?.hasSuffix("Z") ?? false)
        let people = try process.ask("status")
        for secret in [text, Sample.plaintext, "token-sentinel-118"] {
            #expect(!output.text.contains(secret) && !people.text.contains(secret))
        }
        // The control: the ids are of the key, and would not be there if nothing of it were known.
        #expect(people.text.contains(try #require(key.generated).id))
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `of one that ends says so until the end`() throws {
        let process = try InitProcess([
            "--env-only", "--stop-grace", "60s", "sh", "-c",
            "trap '' TERM; (while :; do sleep 0.1; done) & exit 0",
        ])
        let output = try process.waitForStatus(containing: "\"phase\":\"stopping\"")
        #expect(try StatusAnswer(output).command.pid == nil)
        let health = try process.ask("health")
        #expect(health.status == 1)
        #expect(health.text.hasPrefix("the command does not run: stopping for "))
        try process.signal(SIGTERM)
        #expect(try process.process.wait().status == 0)
    }

    @Test func `is for root only, who needs no capability for it`() throws {
        let process = try InitProcess(["--env-only", "sleep", "60"])
        try process.process.waitForOutput(containing: "command started")
        let nobody = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        let refused = try process.ask("status", wrapper: nobody)
        #expect(refused.status == 77)
        #expect(refused.text.isEmpty)
        #expect(refused.errorText.contains("answers root only"))
        #expect(try process.ask("health", wrapper: nobody).status == 1)
        let bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
        #expect(try process.ask("status", wrapper: bare).status == 0)
        #expect(try process.ask("health", wrapper: bare).status == 0)
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `of one that is not root is whole for root, the phase for its own user`() throws {
        let user = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups"]
        let running = try InitProcess(
            ["--key-source", "env:KEY", "--env-only", "sleep", "60"],
            environment: ["KEY": Sample.password, "ENCRYPTED_TESTVAR": Sample.value],
            wrapper: user
        )
        try running.process.waitForOutput(containing: "command started")
        #expect(try StatusAnswer(running.ask("status", "--json")).key.source == "env:KEY")
        let output = try running.ask("status", "--json", wrapper: user)
        try checkMembers(output)
        let own = try StatusAnswer(output)
        #expect(own.phase == "running" && own.command.pid != nil)
        #expect(own.key.source == nil && own.command.name == nil)
        #expect(try running.ask("health", wrapper: user).status == 0)
        let other = ["setpriv", "--reuid=4712", "--regid=4712", "--clear-groups"]
        #expect(try running.ask("status", wrapper: other).status == 77)
        try running.signal(SIGTERM)
        try running.process.wait()
    }

    @Test func `is asked of the process that is there, wherever it stands in the order`() throws {
        // As below `docker run --init`.
        let shell = try Subprocess.start(
            "unshare",
            [
                "--pid", "--mount", "--fork", "--mount-proc", "--kill-child=KILL", "sh", "-c",
                "sleep 60 & \"$0\" --env-only sleep 60 & wait", Executables.secureInit,
            ]
        )
        try shell.waitForOutput(containing: "command started")
        let inside = try #require(ProcessTree.children(of: shell.pid).first)
        let output = try Subprocess.run(
            "nsenter",
            [
                "--pid", "--mount", "--target", "\(inside)", Executables.secureInit, "status",
                "--json",
            ]
        )
        #expect(output.status == 0, "\(output.errorText)")
        #expect(try StatusAnswer(output).pid == 3)
        shell.signal(SIGKILL)
    }

    @Test func `of nobody ends with 69, a wrong question with 64`() throws {
        let nobody = try Subprocess.run(
            "unshare",
            ["--pid", "--mount", "--fork", "--mount-proc", Executables.secureInit, "status"]
        )
        #expect(nobody.status == 69)
        #expect(nobody.errorText.contains("no secure-init to ask"))
        for arguments in [
            ["status", "--what"], ["health", "--json"], ["health", "--timeout", "never"],
        ] {
            #expect(try Subprocess.run(Executables.secureInit, arguments).status == 64)
        }
        #expect(try Subprocess.run(Executables.secureInit, ["status", "--help"]).status == 0)
    }

    @Test func `is a command like any other after two dashes`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("#!/bin/sh\necho the command\n", to: "status", mode: 0o755)
        let output = try InitProcess.run(
            ["--", "status"],
            environment: [
                "PATH": "\(directory.path):/usr/bin:/bin", "SECURE_INIT_ENV_ONLY": "1",
            ]
        )
        #expect(output.text == "the command\n")
    }

    @Test func `costs an idle process nothing, and the command finds no descriptor of it`() throws {
        let process = try InitProcess(["--env-only", "sh", "-c", "ls -l /proc/$$/fd; sleep 60"])
        try process.process.waitForOutput(containing: "command started")
        try process.process.waitForOutput(containing: "2 ->")
        #expect(!process.process.text.contains("socket:"))
        let pid = try process.pid
        let wakeUps = { ProcessTree.status("voluntary_ctxt_switches", of: pid) }
        _ = waitUntil(timeout: 5) { ProcessTree.status("State", of: pid) == "S (sleeping)" }
        usleep(200_000)
        let before = wakeUps()
        usleep(1_000_000)
        #expect(wakeUps() == before)
        // The control: an answer takes one.
        _ = try process.ask("status")
        #expect(wakeUps() != before)
        try process.signal(SIGTERM)
        try process.process.wait()
    }
}
