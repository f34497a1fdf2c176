import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables, .tool("python3"))) struct `A token in a file` {
    private let directory: TemporaryDirectory
    private let show = ["--env-only", "--", "sh", "-c", "printf %s \"$TESTVAR\""]

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("root-sentinel passphrase\n", to: "root")
        try directory.write(Sample.password, to: "key")
        let root = ["--root-key-file", directory("root")]
        for arguments in [
            ["ca", "init", "--hostname", "127.0.0.1"], ["operator", "init"] + root,
            ["key", "new", "default", "--from", directory("key")] + root,
            ["grant", "add", "default", "--all"],
            ["token", "new", "pi", "--out", directory("token")] + root,
        ] {
            let output = try Subprocess.run(
                Executables.secureStore,
                arguments + ["--state", directory("state")]
            )
            try #require(output.status == 0, "\(output.errorText)")
        }
    }

    private func serve() throws -> (process: Subprocess, port: String) {
        let process = try Subprocess.start(
            Executables.secureStore,
            [
                "serve", "--state", directory("state"), "--listen", "127.0.0.1:0",
                "--admin-listen", "none", "--tokens", "--root-key-file", directory("root"),
            ]
        )
        try process.waitForOutput(containing: "Listening for devices")
        let line = try #require(
            process.errorText.split(separator: "\n").first { $0.contains("Listening for devices") }
        )
        return (process, String(try #require(line.firstMatch(of: /127\.0\.0\.1:(\d+)/)).1))
    }

    private func boot(
        _ port: String,
        _ more: [String] = [],
        environment: [String: String] = [:]
    ) throws -> Subprocess.Output {
        try InitProcess(
            [
                "--key-source", "https://127.0.0.1:\(port)", "--ca", directory("state/ca.pem"),
            ] + more + show,
            environment: ["ENCRYPTED_TESTVAR": Sample.value].merging(environment) { $1 }
        ).process.wait()
    }

    /// Has the store take every token for one that was made longer ago; the signed one stays as it
    /// is.
    private func age() throws {
        let sql = """
            import sqlite3
            c=sqlite3.connect('\(directory("state/store.db"))')
            c.execute('PRAGMA busy_timeout=10000')
            c.execute('UPDATE tokens SET issued_at = issued_at - (expires_at - issued_at) - 2000')
            c.commit()
            """
        let output = try Subprocess.run("python3", ["-c", sql])
        try #require(output.status == 0, "\(output.errorText)")
    }

    @Test func `identifies a device, and is renewed in its place`() throws {
        let (server, port) = try serve()
        defer { server.signal(SIGTERM) }
        let file = ["--token-file", directory("token")]
        let before = try directory.read("token")
        let first = try boot(port, file)
        #expect(first.text == Sample.plaintext, "\(first.errorText)")
        #expect(try directory.read("token") == before)
        try age()
        let renewing = try boot(port, file)
        #expect(renewing.text == Sample.plaintext)
        #expect(renewing.errorText.contains("token renewed"), "\(renewing.errorText)")
        let after = try directory.read("token")
        #expect(after != before)
        let text = String(decoding: after, as: UTF8.self)
        #expect(text.hasPrefix("eyJ") && text.hasSuffix("\n"))
        #expect(!renewing.errorText.contains(text.prefix(40)))
        let next = try boot(port, file)
        #expect(next.text == Sample.plaintext, "\(next.errorText)")
        #expect(try directory.read("token") == after)
    }

    @Test func `stays where nothing can be written, and the start goes on`() throws {
        let (server, port) = try serve()
        defer { server.signal(SIGTERM) }
        let token = String(decoding: try directory.read("token"), as: UTF8.self)
            .trimmingCharacters(in: .newlines)
        try age()
        let variable = try boot(port, environment: ["STORE_TOKEN": token])
        #expect(variable.text == Sample.plaintext, "\(variable.errorText)")
        #expect(variable.errorText.contains("there is no --token-file to keep it in"))
        // A file that is mounted cannot be replaced.
        let bind = try Subprocess.run("mount", ["--bind", directory("token"), directory("token")])
        try #require(bind.status == 0)
        defer { _ = try? Subprocess.run("umount", ["-l", directory("token")]) }
        let mounted = try boot(port, ["--token-file", directory("token")])
        #expect(mounted.text == Sample.plaintext)
        #expect(mounted.errorText.contains("cannot be kept"), "\(mounted.errorText)")
        #expect(try String(decoding: directory.read("token"), as: UTF8.self).hasPrefix(token))
    }
}
