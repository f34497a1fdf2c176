import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables)) struct `The environment` {
    private static let sentinel = "sentinel-3f9c1d77"

    private static let credentials = [
        "MTLS_CERT": "\(sentinel)-cert", "MTLS_KEY": "\(sentinel)-key", "MTLS_CA": "\(sentinel)-ca",
        "STORE_TOKEN": "\(sentinel)-token", "STORE_PASSWORD": "\(sentinel)-password",
        "SECURE_INIT_LOG_LEVEL": "debug", "THE_KEY": Sample.password,
        "ENCRYPTED_TESTVAR": Sample.value, "ORDINARY": "\(sentinel)-ordinary",
    ]

    @Test func `of secure-init is erased where the kernel shows it`() throws {
        let process = try InitProcess(
            ["--env-only", "--key-source", "env:THE_KEY", "sleep", "60"],
            environment: Self.credentials
        )
        try process.process.waitForOutput(containing: "command started")
        let pid = try process.pid
        let block = ProcessTree.bytes("/proc/\(pid)/environ")
        #expect(!block.isEmpty)
        #expect(block.allSatisfy { $0 == 0 })
        // The control: the command's own shows what it was given.
        let command = try process.command(named: "sleep")
        let text = ProcessTree.text("/proc/\(command)/environ")
        #expect(text.contains("ORDINARY=\(Self.sentinel)-ordinary"))
        #expect(text.contains("TESTVAR=\(Sample.plaintext)"))
        try process.signal(SIGTERM)
        try process.process.wait()
    }

    @Test func `of the command holds no credential and nothing of secure-init's`() throws {
        let output = try InitProcess.run(
            ["--env-only", "--key-source", "env:THE_KEY", "env"],
            environment: Self.credentials
        )
        let names = output.text.split(separator: "\n").compactMap { $0.split(separator: "=").first }
        #expect(Set(names) == ["PATH", "ORDINARY", "TESTVAR"])
    }

    @Test func `keeps order, values with equals signs, and odd entries`() throws {
        let script =
            "import os,sys; os.execve(sys.argv[1], sys.argv[1:], "
            + "{b'B': b'1=2=', b'A': b'', b'\\xff': b'\\xfe'})"
        let output = try Subprocess.run(
            "python3",
            ["-c", script, Executables.secureInit, "--env-only", "/usr/bin/env", "-0"]
        )
        #expect(output.standardOutput == Array("B=1=2=\0A=\0".utf8) + [255, 61, 254, 0])
    }

    @Test func `may be empty`() throws {
        let output = try Subprocess.run(
            "env",
            ["-i", Executables.secureInit, "--env-only", "/usr/bin/env"]
        )
        #expect(output.status == 0)
        #expect(output.text.isEmpty)
    }
}
