import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"), .tool("python3"))) struct `Monitoring` {
    /// Something of every kind: releases, refusals, other paths, a handshake that fails.
    private func busyServer() throws -> TestServer {
        let server = try TestServer()
        for _ in 0..<3 { #expect(try server.get("/key").status == 201) }
        #expect(try server.get("/v1/unlock", ["-d", TestServer.unlock("other")]).status == 403)
        #expect(try server.get("/nothing").status == 404)
        #expect(try server.get("/v1/unlock", ["-d", "{"]).status == 400)
        let none = ["--cacert", server.directory("kiosk/ca.pem"), "\(server.url)/key"]
        #expect(try TestServer.curl(none).exit != 0)
        return server
    }

    @Test(.requires(.tool("promtool")))
    func `gives Prometheus a page that its own tool finds no fault with`() throws {
        let page = try busyServer().metrics()
        let check = try Subprocess.run(
            "promtool",
            ["check", "metrics"],
            standardInput: Array(page.utf8)
        )
        #expect(check.status == 0, "\(check.text)\(check.errorText)")
        #expect(check.errorText.isEmpty)
        let bad = try Subprocess.run(
            "promtool",
            ["check", "metrics"],
            standardInput: Array(page.replacing("_decisions_total", with: "_decisions").utf8)
        )
        #expect(bad.status != 0, "the control")
    }

    @Test func `has the figures that its page of the manual lists, and no others`() throws {
        let page = try busyServer().metrics()
        let families = page.matches(of: #/(?m)^# TYPE (\S+) /#).map { String($0.1) }
        let manual = try String(
            contentsOfFile: Fixtures.path("../../docs/monitoring.md"),
            encoding: .utf8
        )
        let names = manual.split(separator: "\n").filter {
            $0.hasPrefix("| `secure_store_") || $0.hasPrefix("| `process_")
        }
        .flatMap { line in
            line.dropFirst().prefix { $0 != "|" }.matches(of: /`(\w+)`/).map { String($0.1) }
        }
        #expect(Set(families).symmetricDifference(names).isEmpty)
        #expect(families.count == Set(families).count)
    }

    @Test func `counts what happened`() throws {
        let page = try busyServer().metrics()
        for line in [
            #"secure_store_decisions_total{result="released",code=""} 3"#,
            #"secure_store_decisions_total{result="refused",code="key_not_granted"} 1"#,
            #"secure_store_decision_duration_seconds_count 4"#,
            #"secure_store_http_requests_total{path="/key",status="201"} 3"#,
            #"secure_store_http_requests_total{path="/v1/unlock",status="403"} 1"#,
            #"secure_store_http_requests_total{path="/v1/unlock",status="400"} 1"#,
            #"secure_store_http_requests_total{path="other",status="404"} 1"#,
            #"secure_store_http_request_duration_seconds_bucket{le="+Inf"} 6"#,
            #"secure_store_tls_handshakes_total 6"#,
            #"secure_store_tls_handshake_failures_total{reason="no_certificate"} 1"#,
            #"secure_store_connections_accepted_total 7"#,
            #"secure_store_connections_limit 4096"#,
            #"secure_store_audit_waiting 0"#,
            #"secure_store_storage_errors_total 0"#,
            #"secure_store_ready 1"#, #"secure_store_sealed 0"#, #"secure_store_lockdown 0"#,
            #"secure_store_tls_handshakes_in_progress 0"#,
        ] {
            #expect(page.contains("\n\(line)\n"), "\(line) in \(page)")
        }
        let now = Date().timeIntervalSince1970
        func value(_ name: String) throws -> Double {
            let line = try #require(
                page.split(separator: "\n").first { $0.hasPrefix("\(name) ") },
                "\(name)"
            )
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        let end = "secure_store_certificate_not_after_timestamp_seconds"
        #expect(abs(try value("process_start_time_seconds") - now) < 600)
        #expect(abs(try value("secure_store_audit_last_commit_timestamp_seconds") - now) < 600)
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect((4...200).contains(try value("process_open_fds")))
        for (certificate, days) in [("server", 1825), ("authority", 7300), ("device", 3650)] {
            let left = (try value("\(end){certificate=\"\(certificate)\"}") - now) / 86_400
            #expect(abs(left - Double(days)) < 400, "\(certificate): \(left)")
        }
        #expect(!page.contains("a1b2c3") && !page.contains("kiosk"))
    }

    @Test func `sees a lockdown, and a server that has not got its root key`() throws {
        let directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        try directory.write("a root key that is long enough", to: "root")
        let root = ["--root-key-file", directory("root")]
        try TestServer.succeed(directory, ["operator", "init"] + root)
        let sealed = try TestServer(in: directory)
        let ready = "http://127.0.0.1:\(sealed.adminPort)/readyz"
        let answer = try TestServer.curl([ready])
        #expect(answer.status == 503)
        #expect(answer.body.contains("sealed"), "\(answer.body)")
        #expect(try sealed.metrics().contains("\nsecure_store_sealed 1\n"))
        #expect(try sealed.metrics().contains("\nsecure_store_ready 0\n"))
        _ = try sealed.stop()
        let opened = try TestServer(root, in: directory)
        #expect(
            try TestServer.curl(["http://127.0.0.1:\(opened.adminPort)/readyz"]).status == 200
        )
        #expect(try opened.metrics().contains("\nsecure_store_lockdown 0\n"))
        try #require(try opened.administer("lockdown", "on").status == 0)
        #expect(try opened.metrics().contains("\nsecure_store_lockdown 1\n"))
        #expect(
            try TestServer.curl(["http://127.0.0.1:\(opened.adminPort)/readyz"]).status == 200
        )
    }

    @Test func `says that its database is gone, and when it is back`() throws {
        let database = try PostgreSQLServer()
        let url = try database.makeDatabase()
        let server = try TestServer(environment: ["STORE_DATABASE": url])
        let ready = "http://127.0.0.1:\(server.adminPort)/readyz"
        #expect(try server.get("/key").status == 201)
        #expect(try TestServer.curl([ready]).status == 200)
        // It hangs: nobody waits for it.
        try database.freeze(true)
        let hanging = try TestServer.curl([ready])
        #expect(hanging.status == 503)
        #expect(hanging.body.contains("database_unreachable"), "\(hanging.body)")
        #expect(try server.metrics().contains("\nsecure_store_ready 0\n"))
        try database.freeze(false)
        #expect(waitUntil(timeout: 60) { (try? TestServer.curl([ready]))?.status == 200 })
        // It is gone.
        try database.kill()
        #expect(try TestServer.curl([ready]).body.contains("database_unreachable"))
        #expect(try server.get("/key").status == 503)
        let page = try server.metrics()
        let failed = #"secure_store_decisions_total{result="failed",code="unavailable"}"#
        #expect(page.contains("\n\(failed) 1\n"))
        #expect(!page.contains("\nsecure_store_storage_errors_total 0\n"))
        try database.start()
        #expect(waitUntil(timeout: 60) { (try? TestServer.curl([ready]))?.status == 200 })
        #expect(try server.get("/key").status == 201)
    }

    @Test func `answers no web page that led a browser to it`() throws {
        let server = try TestServer()
        let url = "http://127.0.0.1:\(server.adminPort)/metrics"
        for (host, status) in [
            ("evil.example", 421), ("evil.example:\(server.adminPort)", 421), ("localhost", 200),
            ("127.0.0.1:1", 200), ("[::1]:1", 200),
        ] {
            #expect(try TestServer.curl(["-H", "Host: \(host)", url]).status == status, "\(host)")
        }
        #expect(!server.log.contains("Whoever reaches the address for monitoring"))
    }

    @Test func `warns where others can reach it, and answers to every name there`() throws {
        let server = try TestServer(adminAddress: "0.0.0.0")
        #expect(server.log.contains("Whoever reaches the address for monitoring"))
        let url = "http://127.0.0.1:\(server.adminPort)/readyz"
        #expect(try TestServer.curl(["-H", "Host: key-server", url]).status == 200)
    }

    @Test(arguments: [
        ("boot-7.a_B:1", true), (String(repeating: "x", count: 65), false), ("a b", false),
        ("\"},{", false),
    ])
    func `can follow one request by its id, and no request can forge one`(
        given: String,
        kept: Bool
    ) throws {
        let server = try TestServer(["--log-format", "json"])
        let head = try Subprocess.run(
            "curl",
            ["-s", "-i", "-H", "X-Request-Id: \(given)"] + server.credentials
                + ["\(server.url)/key"]
        ).text
        let match = try #require(head.firstMatch(of: #/(?im)^x-request-id: ([^\s]+)/#))
        let id = String(match.1)
        #expect((id == given) == kept)
        if !kept { #expect(id.wholeMatch(of: /[0-9a-f]{16}/) != nil) }
        #expect(try server.audit().last?["request_id"] as? String == id)
        let line = try #require(
            server.log.split(separator: "\n").first { $0.contains("Key released") }
        )
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object?["request_id"] == id)
        #expect(!server.log.contains(given) || kept)
    }

    @Test func `says why a request never came to a decision`() throws {
        let server = try TestServer(["--log-format", "json"])
        _ = try server.get("/nothing/\u{7f}?'; DROP TABLE devices; --", ["-g"])
        _ = try server.get("/key", ["-X", "DELETE"])
        _ = try server.get("/v1/unlock", ["-d", "{"])
        let lines = try server.log.split(separator: "\n").filter { $0.contains("Request rejected") }
            .map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String] }
        #expect(lines.map { $0?["code"] }.suffix(2) == ["method_not_allowed", "malformed"])
        #expect(lines.map { $0?["status"] }.suffix(2) == ["405", "400"])
        #expect(lines.last??["device"] == "kiosk")
        #expect(lines.last??["path"] == "/v1/unlock")
    }
}
