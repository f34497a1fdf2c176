import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"))) struct `A device with a token` {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        try directory.write("root-sentinel passphrase\n", to: "root")
        try administer("operator", "init", "--root-key-file", directory("root"))
        let key = try directory.write("store-sentinel", to: "key")
        try administer("key", "new", "default", "--from", key, "--root-key-file", directory("root"))
        try administer("grant", "add", "default", "--fleet", "shops")
    }

    @discardableResult
    private func administer(_ arguments: String...) throws -> String {
        try TestServer.succeed(directory, arguments)
    }

    private func server(_ arguments: String...) throws -> TestServer {
        try TestServer(
            ["--root-key-file", directory("root")] + arguments,
            environment: ["STORE_PASSWORD": ""],
            in: directory
        )
    }

    private func newToken(_ arguments: String...) throws -> String {
        let output = try Subprocess.run(
            Executables.secureStore,
            [
                "token", "new", "till", "--fleet", "shops", "--state", directory("state"),
                "--root-key-file", directory("root"),
            ] + arguments
        )
        try #require(output.status == 0, "\(output.errorText)")
        return output.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func ask(
        _ server: TestServer,
        _ token: String?,
        _ path: String = "/v1/unlock",
        _ more: [String] = []
    ) throws -> TestServer.Answer {
        let body = path == "/key" ? [] : ["-d", TestServer.unlock("default")]
        // Not on a command line: a file for curl.
        let header = try token.map { token in
            ["-H", "@" + (try directory.write("Authorization: Bearer \(token)\n", to: "header"))]
        }
        return try TestServer.curl(
            ["--cacert", directory("kiosk/ca.pem")] + (header ?? []) + body + more
                + ["\(server.url)\(path)"]
        )
    }

    @Test func `gets its keys, at both endpoints, and is recorded as itself`() throws {
        let server = try server("--tokens")
        let token = try newToken()
        #expect(token.hasPrefix("eyJ"))
        let answer = try ask(server, token)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(answer.body.contains("store-sentinel"))
        #expect(!answer.body.contains("\"token\""))
        #expect(try ask(server, token, "/key").status == 201)
        let entry = try #require(try server.audit().last)
        #expect(entry["device"] as? String == "till")
        #expect(entry["token"] as? String != nil)
        #expect(entry["certificate"] == nil)
        let list = try administer("token", "list")
        #expect(list.contains("till, active"))
        for text in [server.log, list, try administer("audit", "export")] {
            #expect(!text.contains(token) && !text.contains(token.suffix(40)))
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory("state"))
        where name != "operator.sock" {
            let contents = try directory.read("state/\(name)")
            #expect(contents.firstRange(of: Array(token.utf8.suffix(40))) == nil, "\(name)")
        }
    }

    @Test func `is refused the moment its token is revoked`() throws {
        let server = try server("--tokens")
        let token = try newToken()
        #expect(try ask(server, token).status == 200)
        let id = try #require(administer("token", "list").split(separator: " ").first)
        try administer("token", "revoke", String(id))
        let answer = try ask(server, token)
        #expect(answer.status == 403)
        #expect(answer.body.contains("token_revoked"))
        #expect(try server.audit().last?["code"] as? String == "token_revoked")
        let second = try newToken()
        #expect(try ask(server, second).status == 200)
        try administer("token", "revoke", "--device", "till")
        #expect(try ask(server, second).status == 403)
    }

    @Test func `keeps its token when the signing key is rotated, unless told otherwise`() throws {
        let server = try server("--tokens")
        let old = try newToken()
        let root = ["--root-key-file", directory("root")]
        func rotate(_ more: String...) throws -> String {
            let output = try Subprocess.run(
                Executables.secureStore,
                ["token", "rotate-key", "--state", directory("state")] + root + more
            )
            try #require(output.status == 0, "\(output.errorText)")
            return output.text
        }
        #expect(try ask(server, old).status == 200)
        let line = try rotate()
        let id = try #require(line.firstMatch(of: /key ([0-9a-f]{16})\n/)?.1)
        let new = try newToken()
        let header = try #require(new.split(separator: ".").first)
        let padded = String(header) + String(repeating: "=", count: (4 - header.count % 4) % 4)
        #expect(String(decoding: Data(base64Encoded: padded) ?? Data(), as: UTF8.self).contains(id))
        #expect(try [old, new].map { try ask(server, $0).status } == [200, 200])
        #expect(try rotate("--revoke-old").contains("; 2 tokens revoked"))
        for token in [old, new] { #expect(try [401, 403].contains(ask(server, token).status)) }
        #expect(waitUntil(timeout: 60) { (try? ask(server, old).status) == 401 })
        #expect(try ask(server, newToken()).status == 200)
        let acts = try server.audit().filter { $0["act"] as? String == "token.rotate-key" }
        #expect(acts.count == 2)
        #expect(acts.first?["signing_key"] as? String == String(id))
    }

    @Test func `needs a token of this store's, and a server that takes them`() throws {
        let server = try server("--tokens")
        let other = try TestServer()
        let token = try newToken()
        let parts = token.split(separator: ".")
        for forged in [
            "x", String(repeating: "A", count: 5000), "\(parts[0]).\(parts[1]).",
            "eyJhbGciOiJub25lIn0.\(parts[1]).", "\(token)A",
        ] {
            let answer = try ask(server, forged)
            #expect(answer.status == 401, "\(forged.prefix(40)): \(answer.body)")
            #expect(answer.body.contains("token_refused"))
        }
        let counted = #"secure_store_tokens_refused_total{code="token_refused"} 5"#
        #expect(try server.metrics().contains("\n\(counted)\n"))
        let nothing = try ask(server, nil)
        #expect(nothing.status == 401)
        #expect(nothing.body.contains("unauthenticated"))
        #expect(
            try ask(server, token, "/v1/unlock", ["-H", "Authorization: Basic eDp5"]).status == 401
        )
        #expect(try server.audit().allSatisfy { $0["act"] as? String != "release" })
        // A certificate that is shown counts, and the token beside it is passed over.
        #expect(
            try ask(server, "x", "/v1/unlock", Array(server.credentials.prefix(4))).status == 403
        )
        // Without --tokens TLS asks for a certificate, as ever.
        let answer = try TestServer.curl([
            "--cacert", other.directory("kiosk/ca.pem"), "-H", "Authorization: Bearer \(token)",
            "\(other.url)/key",
        ])
        #expect(answer.status == 0)
    }

    @Test func `is told to wait when it guesses`() throws {
        let server = try server("--tokens")
        let url = "\(server.url)/key"
        try directory.write("Authorization: Bearer x\n", to: "guess")
        let many = Array(repeating: ["-o", "/dev/null", url], count: 60).flatMap { $0 }
        let output = try Subprocess.run(
            "curl",
            [
                "-s", "-m", "30", "-w", "%{http_code}\n", "--cacert", directory("kiosk/ca.pem"),
                "-H", "@\(directory("guess"))",
            ] + many
        )
        let statuses = output.text.split(separator: "\n")
        #expect(statuses.first == "401" && statuses.last == "429", "\(statuses)")
    }

    @Test func `waits where the server has not been given the root key`() throws {
        let token = try newToken()
        let sealed = try TestServer(["--tokens"], in: directory)
        let answer = try ask(sealed, token)
        #expect(answer.status == 503)
        #expect(answer.body.contains("sealed"))
        #expect(sealed.log.contains("No token can be checked"))
    }

    @Test func `has no token for keys that are none, and no command gives one away`() throws {
        for arguments in [["--key", "a b"], ["--expires", "0s"], ["--expires", "400d"]] {
            let output = try Subprocess.run(
                Executables.secureStore,
                [
                    "token", "new", "till", "--state", directory("state"), "--root-key-file",
                    directory("root"),
                ] + arguments
            )
            #expect(output.status == 64, "\(output.errorText)")
        }
        let file = directory("token")
        #expect(try newToken("--out", file).contains("is in \(file)"))
        let mode = try Subprocess.run("stat", ["-c", "%a", file]).text
        #expect(mode == "600\n")
        #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("eyJ"))
    }
}
