import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"), .tool("openssl"))) struct `The key server` {
    private let sentinelJSON = #""sentinel-a1b2c3-\"quoted\"\\""#

    @Test func `gives a device the key, over the original's path and its own`() throws {
        let server = try TestServer()
        let original = try server.get("/key")
        #expect(original.status == 201)
        #expect(original.body == #"{"password":\#(sentinelJSON)}"#)
        let unlock = try server.get("/v1/unlock", ["-d", TestServer.unlock("default")])
        #expect(unlock.status == 200)
        #expect(unlock.body == #"{"keys":{"default":\#(sentinelJSON)},"lease":0}"#)
        let head = try Subprocess.run(
            "curl",
            ["-s", "-i"] + server.credentials + ["\(server.url)/key"]
        ).text.lowercased()
        #expect(head.contains("content-type: application/json"))
        #expect(head.contains("cache-control: no-store"))
    }

    @Test func `serves several keys by name, from files`() throws {
        let files = try TemporaryDirectory()
        try files.write("one\n", to: "one")
        try files.write("two", to: "two")
        let server = try TestServer(
            ["--key-file", "a=\(files("one"))", "--key-file", "b=\(files("two"))"])
        let both = try server.get("/v1/unlock", ["-d", TestServer.unlock("b", "a")])
        #expect(both.body == #"{"keys":{"b":"two","a":"one"},"lease":0}"#)
        let missing = try server.get("/v1/unlock", ["-d", TestServer.unlock("a", "c")])
        #expect(missing.status == 403)
        #expect(missing.body.contains("key_not_granted"))
        #expect(!missing.body.contains("one"))
        // No key is named default.
        #expect(try server.get("/key").status == 403)
    }

    @Test(arguments: [
        (["--deny", "127.0.0.0/8"], 403), (["--deny", "127.0.0.1/32"], 403),
        (["--deny", "10.0.0.0/8"], 201), (["--allow", "127.0.0.0/8"], 201),
        (["--allow", "10.0.0.0/8"], 403), (["--allow", "127.0.0.0/8", "--deny", "127.0.0.1"], 403),
        (["--allow", "10.0.0.0/8", "--allow", "127.0.0.1"], 201),
    ])
    func `goes by the lists of addresses`(lists: [String], status: Int) throws {
        let server = try TestServer(lists)
        let answer = try server.get("/key")
        #expect(answer.status == status)
        #expect(answer.body.contains("sentinel") == (status == 201))
        #expect(
            try server.get("/v1/unlock", ["-d", TestServer.unlock("default")]).status
                == (status == 201 ? 200 : 403)
        )
        if status == 403 {
            #expect(answer.body.contains("address_denied"))
            #expect(server.log.contains("Key refused"))
        }
    }

    @Test func `speaks to nobody without a certificate of its authority`() throws {
        let server = try TestServer()
        let ca = ["--cacert", server.directory("kiosk/ca.pem")]
        let none = try TestServer.curl(ca + ["\(server.url)/key"])
        #expect(none.exit != 0)
        #expect(none.body.isEmpty)
        let stranger = try TemporaryDirectory()
        try TestServer.prepare(stranger)
        let foreign = try TestServer.curl(
            ca + [
                "--cert", stranger("kiosk/cert.pem"), "--key", stranger("kiosk/key.pem"),
                "\(server.url)/key",
            ]
        )
        #expect(foreign.exit != 0)
        #expect(foreign.body.isEmpty)
        // Its own certificate is for the purpose server only.
        let own = try TestServer.curl(
            ca + [
                "--cert", server.directory("state/server.pem"),
                "--key", server.directory("state/server-key.pem"), "\(server.url)/key",
            ]
        )
        #expect(own.exit != 0)
        #expect(own.body.isEmpty)
        #expect(!server.log.contains("Key released"))
        #expect(server.log.contains("peer did not return a certificate"))
        // The control: the same command with the right certificate.
        #expect(try server.get("/key").status == 201)
    }

    @Test func `speaks to no client whose certificate has expired`() throws {
        let server = try TestServer()
        let d = server.directory
        try d.write("extendedKeyUsage=clientAuth\n", to: "ext")
        for arguments in [
            [
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=late", "-keyout", d("late.key"), "-out", d("late.csr"),
            ],
            [
                "x509", "-req", "-in", d("late.csr"), "-CA", d("state/ca.pem"),
                "-CAkey", d("state/ca-key.pem"), "-CAcreateserial", "-days", "-1",
                "-extfile", d("ext"), "-out", d("late.pem"),
            ],
        ] {
            try #require(try Subprocess.run("openssl", arguments).status == 0)
        }
        let answer = try TestServer.curl([
            "--cacert", d("kiosk/ca.pem"), "--cert", d("late.pem"), "--key", d("late.key"),
            "\(server.url)/key",
        ])
        #expect(answer.exit != 0)
        #expect(answer.body.isEmpty)
        #expect(!server.log.contains("Key released"))
    }

    @Test(arguments: [([], false), (["--legacy"], true)])
    func `speaks TLS 1.2 only when told to`(arguments: [String], accepted: Bool) throws {
        let server = try TestServer(arguments)
        let old = try server.get("/key", ["--tlsv1.2", "--tls-max", "1.2"])
        #expect((old.status == 201) == accepted)
        #expect(try server.get("/key", ["--tlsv1.3"]).status == 201)
    }

    @Test(arguments: [
        ("GET", "/", 404), ("GET", "/key/", 404), ("GET", "/metrics", 404),
        ("GET", "/healthz", 404), ("POST", "/key", 405), ("DELETE", "/key", 405),
        ("GET", "/v1/unlock", 405), ("PUT", "/v1/unlock", 405), ("GET", "/%6bey", 404),
    ])
    func `has two paths`(method: String, path: String, status: Int) throws {
        let server = try TestServer()
        let answer = try server.get(path, ["-X", method, "--path-as-is"])
        #expect(answer.status == status)
        #expect(!answer.body.contains("sentinel"))
        #expect(answer.body.contains(#""error""#))
    }

    @Test(arguments: [
        "", "{", "[]", "null", "\"x\"", "{}", #"{"device":"d"}"#, #"{"device":"d","keys":[]}"#,
        #"{"device":"d","keys":"default"}"#, #"{"device":"d","keys":[1]}"#,
        #"{"device":"d","keys":["default"],"keys":["default"]}"#,
        "{\"device\":\"d\",\"keys\":[\"\u{1}\"]}",
        String(repeating: "[", count: 5000),
    ])
    func `answers a malformed body with 400`(body: String) throws {
        let server = try TestServer()
        let answer = try server.get(
            "/v1/unlock",
            ["--data-binary", "@-"],
            input: Array(body.utf8)
        )
        #expect(answer.status == 400)
        #expect(answer.body.contains("malformed"))
        #expect(!server.log.contains("Key released"))
    }

    @Test(arguments: [65_537, 1_000_000])
    func `answers a body that is too large with 413`(count: Int) throws {
        let server = try TestServer()
        let body = [UInt8](repeating: 0x20, count: count)
        for header in ["Transfer-Encoding: chunked", "Content-Type: application/json"] {
            let answer = try server.get(
                "/v1/unlock",
                ["-H", header, "--data-binary", "@-"],
                input: body
            )
            #expect(answer.status == 413, "\(header)")
        }
        let largest =
            Array(TestServer.unlock("default").utf8)
            + [UInt8](repeating: 0x20, count: 65_536 - TestServer.unlock("default").utf8.count)
        #expect(
            try server.get("/v1/unlock", ["--data-binary", "@-"], input: largest).status == 200
        )
    }

    @Test func `takes headers up to its limit`() throws {
        let server = try TestServer()
        let long = try server.get("/key", ["-H", "X: \(String(repeating: "a", count: 20_000))"])
        #expect(long.status != 201)
        let many = try server.get("/key", (0..<100).flatMap { ["-H", "X-\($0): a"] })
        #expect(many.status != 201)
        #expect(
            try server.get("/key", ["-H", "X: \(String(repeating: "a", count: 8000))"]).status
                == 201
        )
    }

    @Test func `closes a connection that drips`() throws {
        let server = try TestServer()
        // A byte of the request a second, for ever.
        let script = """
            (printf 'POST /v1/unlock HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1000\\r\\n\\r\\n'; \
            while printf ' '; do sleep 1; done) | openssl s_client -quiet -connect 127.0.0.1:\(server.port) \
            -cert \(server.directory("kiosk/cert.pem")) -key \(server.directory("kiosk/key.pem")) \
            -CAfile \(server.directory("kiosk/ca.pem"))
            """
        let start = Date()
        _ = try Subprocess.run("timeout", ["40", "sh", "-c", script], timeout: 60)
        let seconds = Date().timeIntervalSince(start)
        #expect((9...25).contains(seconds), "\(seconds) s")
        #expect(server.log.contains("Connection timed out"))
        #expect(try server.get("/key").status == 201)
    }

    @Test func `closes a connection that never begins the handshake`() throws {
        let server = try TestServer()
        let start = Date()
        _ = try Subprocess.run(
            "timeout",
            ["40", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/\(server.port); cat <&3"],
            timeout: 60
        )
        #expect((9...25).contains(Date().timeIntervalSince(start)))
    }

    @Test func `closes after an HTTP/1.0 request`() throws {
        let server = try TestServer()
        let script = """
            printf 'GET /key HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet \
            -connect 127.0.0.1:\(server.port) -cert \(server.directory("kiosk/cert.pem")) \
            -key \(server.directory("kiosk/key.pem")) -CAfile \(server.directory("kiosk/ca.pem"))
            """
        // s_client stays until the server closes, which for an idle connection is half a minute.
        let output = try Subprocess.run("sh", ["-c", script], timeout: 15)
        #expect(output.text.contains("201 Created"))
    }

    @Test func `never logs a key, in text or JSON, at any level`() throws {
        for format in ["text", "json"] {
            let server = try TestServer(
                ["--log-format", format, "--log-level", "debug", "--deny", "10.0.0.0/8"])
            _ = try server.get("/key")
            _ = try server.get("/v1/unlock", ["-d", TestServer.unlock("default")])
            _ = try server.get("/v1/unlock", ["-d", TestServer.unlock("other")])
            _ = try server.get("/v1/unlock", ["-d", "{"])
            let output = try server.stop()
            #expect(output.errorText.contains("Key released"))
            #expect(output.errorText.contains("Key refused"))
            #expect(!output.errorText.contains("a1b2c3"))
            #expect(output.standardOutput.isEmpty)
            if format == "json" {
                for line in output.errorText.split(separator: "\n") {
                    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                    #expect(object is [String: String])
                }
            }
        }
    }

    @Test func `logs who asked for what from where`() throws {
        let server = try TestServer()
        _ = try server.get("/v1/unlock", ["-d", TestServer.unlock("default")])
        let line = try #require(
            server.log.split(separator: "\n").first { $0.contains("Key released") }
        )
        for field in [
            "address=127.0.0.1", "device=kiosk", "claimed_device=me", "keys=default",
            "path=/v1/unlock", "result=released",
        ] {
            #expect(line.contains(" \(field)"), "\(field)")
        }
    }

    @Test func `leaves no key in its environment`() throws {
        let server = try TestServer()
        let environment = try Data(
            contentsOf: URL(fileURLWithPath: "/proc/\(server.process.pid)/environ")
        )
        #expect(!String(decoding: environment, as: UTF8.self).contains("a1b2c3"))
        // The control: the variable was there to be found.
        #expect(String(decoding: environment, as: UTF8.self).contains("STORE_PASSWORD"))
    }

    @Test(.requires(.root, .tool("python3")))
    func `leaves no key in memory but where it keeps it`() throws {
        let server = try TestServer()
        for _ in 0..<10 {
            _ = try server.get("/key")
            _ = try server.get("/v1/unlock", ["-d", TestServer.unlock("default")])
        }
        // The last answer's buffer is overwritten when the kernel has taken it.
        usleep(300_000)
        let script = """
            import re
            hits = []
            for line in open('/proc/\(server.process.pid)/maps'):
                match = re.match(r'([0-9a-f]+)-([0-9a-f]+) r', line)
                if not match: continue
                start, end = int(match[1], 16), int(match[2], 16)
                try:
                    with open('/proc/\(server.process.pid)/mem', 'rb') as memory:
                        memory.seek(start)
                        data = memory.read(end - start)
                except (OSError, ValueError, OverflowError): continue
                hits += [end - start] * data.count(b'sentinel-a1b2c3')
            print(hits)
            """
        let output = try Subprocess.run("python3", ["-c", script])
        // The key, and the two answers that carry it: each in a page of its own between guards.
        #expect(output.text == "[4096, 4096, 4096]\n", "\(output.errorText)")
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `ends when told to, with nothing open`(signal: Int32) throws {
        let server = try TestServer()
        #expect(try server.get("/key").status == 201)
        // An idle connection must not hold it up.
        let idle = try Subprocess.start(
            "sh",
            ["-c", "sleep 30 | openssl s_client -quiet -connect 127.0.0.1:\(server.port)"]
        )
        _ = idle
        usleep(300_000)
        let start = Date()
        server.process.signal(signal)
        let output = try server.process.wait(timeout: 15)
        #expect(output.status == 0)
        #expect(Date().timeIntervalSince(start) < 3)
        #expect(output.errorText.contains("Stopped"))
    }

    @Test func `lets a request in progress finish`() throws {
        let server = try TestServer()
        let body = TestServer.unlock("default")
        let script = """
            (printf 'POST /v1/unlock HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: \(body.utf8.count)\\r\\n\\r\\n'; \
            sleep 2; printf '%s' '\(body)'; sleep 1) | openssl s_client -quiet \
            -connect 127.0.0.1:\(server.port) -cert \(server.directory("kiosk/cert.pem")) \
            -key \(server.directory("kiosk/key.pem")) -CAfile \(server.directory("kiosk/ca.pem"))
            """
        let request = try Subprocess.start("sh", ["-c", script])
        usleep(1_000_000)
        server.process.signal(SIGTERM)
        let answer = try request.wait(timeout: 30)
        #expect(answer.text.contains("200 OK"))
        #expect(answer.text.contains("sentinel"))
        #expect(try server.process.wait(timeout: 15).status == 0)
    }

    @Test func `tells monitoring how it is`() throws {
        let server = try TestServer()
        for path in ["healthz", "readyz"] {
            let answer = try TestServer.curl(["http://127.0.0.1:\(server.adminPort)/\(path)"])
            #expect(answer.status == 200)
        }
        #expect(try TestServer.curl(["http://127.0.0.1:\(server.adminPort)/key"]).status == 404)
        #expect(
            try TestServer.curl(["-X", "POST", "http://127.0.0.1:\(server.adminPort)/healthz"])
                .status
                == 405
        )
    }

    @Test func `answers a new connection without a delayed acknowledgement`() throws {
        let server = try TestServer()
        // Python's client has Nagle's algorithm on, and waits for the handshake's acknowledgement.
        let script = """
            import ssl,socket,time
            c=ssl.create_default_context(cafile='\(server.directory("kiosk/ca.pem"))')
            c.load_cert_chain('\(server.directory("kiosk/cert.pem"))','\(server.directory("kiosk/key.pem"))')
            best=9
            for i in range(20):
                s=c.wrap_socket(socket.create_connection(('127.0.0.1',\(server.port))),server_hostname='localhost')
                t=time.time(); s.sendall(b'GET /key HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); s.recv(1000)
                best=min(best,time.time()-t); s.close()
            print(best)
            """
        let output = try Subprocess.run("python3", ["-c", script])
        let best = try #require(
            Double(output.text.trimmingCharacters(in: .whitespacesAndNewlines)),
            "\(output.errorText)"
        )
        #expect(best < 0.03, "\(best) s")
    }
}
