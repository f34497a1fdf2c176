import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"), .tool("openssl")))
struct `A device that enrols` {
    private func newToken(_ server: TestServer, _ arguments: String...) throws -> String {
        let file = server.directory("token-\(UInt32.random(in: 0...UInt32.max))")
        let output = try server.administer(
            ["device", "enroll-token", "new"] + arguments + ["--out", file]
        )
        try #require(output.status == 0, "\(output.errorText)")
        return file
    }

    private func enroll(
        _ server: TestServer,
        _ token: String,
        _ out: String,
        _ more: [String] = []
    ) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureStore,
            ["enroll", server.url, "--token-file", token, "--out", server.directory(out)] + more
        )
    }

    private func key(_ server: TestServer, _ device: String) throws -> TestServer.Answer {
        let place = server.directory(device)
        return try TestServer.curl([
            "--cert", "\(place)/cert.pem", "--key", "\(place)/key.pem", "--cacert",
            "\(place)/ca.pem", "\(server.url)/key",
        ])
    }

    @Test func `gets a certificate for its own key, with nothing but a token`() throws {
        let server = try TestServer(["--enroll"])
        let token = try newToken(server, "till", "--fleet", "shops", "--tag", "north")
        let secret = String(
            decoding: FileManager.default.contents(atPath: token) ?? Data(),
            as: UTF8.self
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(secret.hasPrefix("sse1_"))
        let output = try enroll(server, token, "till")
        #expect(output.status == 0, "\(output.errorText)")
        #expect(output.text.contains("Device till"))
        #expect(try key(server, "till").status == 201)
        let modes = try Subprocess.run(
            "stat",
            ["-c", "%a", server.directory("till"), server.directory("till/key.pem")]
        ).text
        #expect(modes == "700\n600\n")
        let entry = try #require(
            try server.audit().last { $0["act"] as? String == "device.enroll" }
        )
        #expect(entry["device"] as? String == "till")
        #expect(entry["fleet"] as? String == "shops")
        // The token itself is nowhere: neither in the store's files nor in the log.
        #expect(!server.log.contains(secret))
        for name in try FileManager.default.contentsOfDirectory(atPath: server.directory("state"))
        where name != "operator.sock" {
            let contents = try server.directory.read("state/\(name)")
            #expect(contents.firstRange(of: Array(secret.utf8.suffix(40))) == nil, "\(name)")
        }
        // A second device with the same token.
        let replay = try enroll(server, token, "replay")
        #expect(replay.status == 77)
        #expect(replay.errorText.contains("token_used"), "\(replay.errorText)")
        let page = try server.metrics()
        let counter = #"secure_store_certificate_requests_total{path="/v1/enroll","#
        #expect(page.contains("\n" + counter + #"result="issued",code=""} 1\#n"#))
        #expect(page.contains("\n" + counter + #"result="refused",code="token_used"} 1\#n"#))
        // And the first once more, which has its certificate.
        #expect(try enroll(server, token, "till").status == 73)
    }

    @Test func `goes on where it was cut off, with the same key`() throws {
        let server = try TestServer(["--enroll"])
        let token = try newToken(server, "till")
        #expect(try enroll(server, token, "till").status == 0)
        let first = try server.directory.read("till/cert.pem")
        // As if the answer had been lost: the key is there, and the certificate is not.
        try FileManager.default.removeItem(atPath: server.directory("till/cert.pem"))
        try FileManager.default.removeItem(atPath: server.directory("till/ca.pem"))
        let again = try enroll(server, token, "till")
        #expect(again.status == 0, "\(again.errorText)")
        #expect(try server.directory.read("till/cert.pem") == first)
        #expect(
            try server.administer("device", "enroll-token", "list").text.contains("1 of 1 used")
        )
    }

    @Test func `gives its token to no server but the right one`() throws {
        let server = try TestServer(["--enroll"])
        let other = try TestServer(["--enroll"])
        let token = try newToken(other, "till")
        let wrong = try enroll(server, token, "till")
        #expect(wrong.status == 69)
        #expect(wrong.errorText.contains("not trusted"), "\(wrong.errorText)")
        let info = try Subprocess.run(
            "openssl",
            [
                "x509", "-in", server.directory("state/ca.pem"), "-noout", "-fingerprint",
                "-sha256",
            ]
        ).text
        let fingerprint = try #require(info.split(separator: "=").last).trimmingCharacters(
            in: .whitespacesAndNewlines
        )
        let right = try newToken(server, "till")
        let pinned = try enroll(server, right, "till", ["--ca-fingerprint", fingerprint])
        #expect(pinned.status == 0, "\(pinned.errorText)")
        let second = try newToken(server, "shop")
        let byFile = try enroll(
            server,
            second,
            "shop",
            ["--ca", server.directory("state/ca.pem")]
        )
        #expect(byFile.status == 0, "\(byFile.errorText)")
        // A device's own certificate does not make it the authority, pinned or not.
        let third = try newToken(server, "third")
        let posed = try enroll(
            server,
            third,
            "third",
            ["--ca", server.directory("till/cert.pem")]
        )
        #expect(posed.status == 69)
    }

    @Test func `cannot pose as the server`() throws {
        let server = try TestServer(["--enroll"])
        #expect(try enroll(server, newToken(server, "till"), "till").status == 0)
        let place = server.directory("till")
        let chain =
            try server.directory.read("till/cert.pem") + server.directory.read("till/ca.pem")
        try server.directory.write(chain, to: "chain.pem")
        let fake = try Subprocess.start(
            "openssl",
            [
                "s_server", "-accept", "127.0.0.1:0", "-cert", "\(place)/cert.pem", "-key",
                "\(place)/key.pem", "-cert_chain", server.directory("chain.pem"), "-www",
            ]
        )
        try fake.waitForOutput(containing: "ACCEPT")
        let port = try #require(fake.text.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)/)).1
        let refused = try Subprocess.run(
            Executables.secureStore,
            [
                "enroll", "https://127.0.0.1:\(port)", "--token-file",
                try newToken(server, "victim"), "--out", server.directory("victim"),
            ]
        )
        #expect(refused.status == 69)
        #expect(refused.errorText.contains("not trusted"), "\(refused.errorText)")
    }

    @Test func `is the only one to get in without a certificate`() throws {
        let server = try TestServer(["--enroll"])
        let stranger = ["--cacert", server.directory("kiosk/ca.pem")]
        for (path, arguments, status) in [
            ("/key", [], 401), ("/v1/unlock", ["-d", TestServer.unlock("default")], 401),
            ("/v1/renew", ["-d", "{}"], 401), ("/v1/enroll", ["-d", "{}"], 400),
            ("/v1/enroll", [], 405), ("/", [], 404),
        ] {
            let answer = try TestServer.curl(stranger + arguments + ["\(server.url)\(path)"])
            #expect(answer.status == status, "\(path): \(answer.body)")
            #expect(!answer.body.contains("sentinel"))
        }
        // A certificate that is shown must be a good one, as ever.
        let other = try TestServer()
        let foreign = [
            "--cert", other.directory("kiosk/cert.pem"), "--key", other.directory("kiosk/key.pem"),
        ]
        let refused = try TestServer.curl(stranger + foreign + ["\(server.url)/key"])
        #expect(refused.status == 0)
        #expect(try server.get("/key").status == 201, "the control")
        // Without --enroll nobody gets that far, and nothing is there.
        #expect(
            try TestServer.curl([
                "--cacert", other.directory("kiosk/ca.pem"), "\(other.url)/v1/enroll",
            ]).status == 0
        )
        #expect(try other.get("/v1/enroll", ["-d", "{}"]).status == 404)
        let here = try enroll(other, newToken(other, "till"), "till")
        #expect(here.status == 69)
    }

    @Test func `is told to wait when it fails too often, and never costs much`() throws {
        let server = try TestServer(["--enroll"])
        let stranger = ["--cacert", server.directory("kiosk/ca.pem")]
        let long = String(repeating: "x", count: 9000)
        let url = "\(server.url)/v1/enroll"
        #expect(try TestServer.curl(stranger + ["-d", long, url]).status == 413)
        let one = stranger + ["-d", #"{"csr":"x","token":"sse1_x"}"#]
        let many = Array(repeating: url, count: 30)
        let output = try Subprocess.run(
            "curl",
            ["-s", "-m", "30", "-w", "%{http_code}\n", "-o", "/dev/null"] + one
                + many.flatMap { [$0, "-o", "/dev/null"] }
        )
        let statuses = output.text.split(separator: "\n")
        #expect(statuses.contains("400") && statuses.contains("429"), "\(statuses)")
        // Who has a certificate is not held up.
        #expect(try server.get("/key").status == 201)
        #expect(try server.audit().allSatisfy { $0["act"] as? String != "device.enroll" })
    }

    @Test func `of a token that was revoked or expired stays outside`() throws {
        let server = try TestServer(["--enroll"])
        let list = try newToken(server, "till")
        let id = try #require(
            server.administer("device", "enroll-token", "list").text.split(separator: " ").first
        )
        #expect(try server.administer("device", "enroll-token", "revoke", String(id)).status == 0)
        let revoked = try enroll(server, list, "till")
        #expect(revoked.status == 77)
        #expect(revoked.errorText.contains("token_revoked"), "\(revoked.errorText)")
        #expect(try server.administer("device", "enroll-token", "revoke", "none").status == 64)
        let brief = try newToken(server, "shop", "--expires", "1s")
        #expect(
            waitUntil(timeout: 30) {
                (try? server.administer("device", "enroll-token", "list"))?.text
                    .contains("expired") == true
            }
        )
        let late = try enroll(server, brief, "shop")
        #expect(late.errorText.contains("token_expired"), "\(late.errorText)")
        #expect(try server.administer("device", "list").text.split(separator: "\n").count == 1)
    }
}
