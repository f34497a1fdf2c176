import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"), .tool("openssl"), .tool("python3")))
struct `A fleet's operator` {
    /// Asks for the key twice over one connection, and waits in between for a file to appear.
    private func askTwice(_ server: TestServer, waitingFor file: String) throws -> Subprocess {
        let script = """
            import ssl,http.client,os,time
            c=ssl.create_default_context(cafile='\(server.directory("kiosk/ca.pem"))')
            c.load_cert_chain('\(server.directory("kiosk/cert.pem"))','\(server.directory("kiosk/key.pem"))')
            h=http.client.HTTPSConnection('127.0.0.1',\(server.port),context=c)
            def ask():
                h.request('GET','/key'); r=h.getresponse(); r.read(); print(r.status,h.sock.getsockname()[1],flush=True)
            ask()
            while not os.path.exists('\(file)'): time.sleep(0.01)
            ask()
            """
        return try Subprocess.start("python3", ["-c", script])
    }

    @Test(arguments: [true, false])
    func `revokes a device at once, on a connection that is open too`(revokes: Bool) throws {
        let server = try TestServer()
        let device = try askTwice(server, waitingFor: server.directory("go"))
        try device.waitForOutput(containing: "201")
        if revokes {
            #expect(try server.administer("device", "revoke", "kiosk").status == 0)
        }
        try server.directory.write("", to: "go")
        let lines = try device.wait().text.split(separator: "\n").map { $0.split(separator: " ") }
        try #require(lines.count == 2)
        #expect(lines[0][1] == lines[1][1], "another connection")
        // The control: without the revocation the second request is answered as the first.
        #expect(lines[1][0] == (revokes ? "403" : "201"))
        guard revokes else { return }
        let answer = try server.get("/key")
        #expect(answer.body.contains("device_revoked"))
        #expect(!answer.body.contains("sentinel"))
        #expect(try server.administer("device", "restore", "kiosk").status == 0)
        #expect(try server.get("/key").status == 201)
    }

    @Test func `keeps a device out over a restart of the server`() throws {
        let directory = try TemporaryDirectory()
        let first = try TestServer(in: directory)
        try first.administer("device", "revoke", "kiosk")
        _ = try first.stop()
        let second = try TestServer(in: directory)
        #expect(try second.get("/key").status == 403)
    }

    @Test func `shuts the whole store at once, and no restart opens it`() throws {
        let directory = try TemporaryDirectory()
        let first = try TestServer(in: directory)
        #expect(try first.get("/key").status == 201)
        #expect(try first.administer("lockdown", "on", "--reason", "van stolen").status == 0)
        let answer = try first.get("/key")
        #expect(answer.status == 503)
        #expect(answer.body.contains(#""code":"lockdown""#))
        #expect(!answer.body.contains("sentinel"))
        _ = try first.stop()
        let second = try TestServer(in: directory)
        #expect(try second.get("/v1/unlock", ["-d", TestServer.unlock("default")]).status == 503)
        #expect(try second.administer("lockdown").text.contains("van stolen"))
        #expect(try second.administer("lockdown", "off").status == 0)
        #expect(try second.get("/key").status == 201)
        #expect(try second.administer("lockdown").text == "no lockdown\n")
    }

    @Test func `gives a device a new certificate in place of the old`() throws {
        let server = try TestServer()
        let out = server.directory("new")
        #expect(
            try server.administer("device", "rotate", "kiosk", "--overlap", "1h", "--out", out)
                .status == 0
        )
        let new = [
            "--cert", "\(out)/cert.pem", "--key", "\(out)/key.pem", "--cacert", "\(out)/ca.pem",
            "\(server.url)/key",
        ]
        #expect(try TestServer.curl(new).status == 201)
        #expect(try server.get("/key").status == 201)
        let last = server.directory("last")
        #expect(try server.administer("device", "rotate", "kiosk", "--out", last).status == 0)
        for answer in [try TestServer.curl(new), try server.get("/key")] {
            #expect(answer.status == 403)
            #expect(answer.body.contains("certificate_revoked"))
        }
    }

    @Test func `renames a device, and removes it for good`() throws {
        let server = try TestServer()
        #expect(try server.administer("device", "rename", "kiosk", "till").status == 0)
        #expect(try server.get("/key").status == 201)
        #expect(try server.audit().last?["device"] as? String == "till")
        #expect(try server.administer("device", "remove", "till").status == 0)
        let answer = try server.get("/key")
        #expect(answer.status == 403)
        #expect(answer.body.contains("device_revoked"))
        #expect(try server.administer("device", "show", "till").status == 64)
        // The name is free again; the old certificate is not.
        let out = server.directory("again")
        #expect(try server.administer("device", "add", "till", "--out", out).status == 0)
        #expect(try server.get("/key").status == 403)
    }

    @Test func `sees what a device is and when it was last served`() throws {
        let server = try TestServer()
        try server.administer("device", "label", "kiosk", "--fleet", "shops", "--tag", "north")
        _ = try server.get("/key")
        let output = try server.administer("device", "show", "kiosk", "--json")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any]
        )
        #expect(object["status"] as? String == "active")
        #expect(object["fleet"] as? String == "shops")
        #expect(object["tags"] as? [String] == ["north"])
        #expect(object["last_address"] as? String == "127.0.0.1")
        #expect((object["last_seen"] as? String)?.isEmpty == false)
        #expect(
            try server.administer("device", "list").text.contains("active, until")
        )
    }

    @Test func `adds many devices from a list, or none of them`() throws {
        let server = try TestServer()
        let list = try server.directory.write("a,shops,north old\nb\n", to: "list.csv")
        let out = server.directory("many")
        #expect(try server.administer("device", "add", "--csv", list, "--out", out).status == 0)
        #expect(
            try TestServer.curl([
                "--cert", "\(out)/b/cert.pem", "--key", "\(out)/b/key.pem",
                "--cacert", "\(out)/b/ca.pem", "\(server.url)/key",
            ]).status == 201
        )
        let again = try server.directory.write("c\nb\n", to: "again.csv")
        let output = try server.administer([
            "device", "add", "--csv", again, "--out", server.directory("more"),
        ])
        #expect(output.status == 73)
        #expect(try !server.administer("device", "list").text.contains("c "))
        let wrong = try server.directory.write("d\n../e\n", to: "wrong.csv")
        let refused = try server.administer("device", "add", "--csv", wrong, "--out", out)
        #expect(refused.status == 65)
        #expect(refused.errorText.contains("line 2"))
    }

    @Test func `gets a script for balena that puts no key on a command line`() throws {
        let server = try TestServer()
        let script = try server.administer("device", "add", "pi", "--balena", "0a1b2c3d")
        #expect(script.status == 0)
        // A stand-in for balena's command notes its arguments, and the variable it would read.
        let tools = try TemporaryDirectory()
        try tools.write(
            "#!/bin/sh\necho \"$@\" >>\(tools("arguments"))\n"
                + "eval \"printf %s \\\"\\$$3\\\"\" | base64 -d >>\(tools("values"))\n",
            to: "balena",
            mode: 0o755
        )
        let run = try Subprocess.run(
            "sh",
            [try tools.write(script.standardOutput, to: "script", mode: 0o700)],
            environment: ["PATH": "\(tools.path):/usr/bin:/bin"]
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(
            String(decoding: try tools.read("arguments"), as: UTF8.self) == """
                env set MTLS_CERT --device 0a1b2c3d
                env set MTLS_KEY --device 0a1b2c3d
                env set MTLS_CA --device 0a1b2c3d

                """
        )
        let values = String(decoding: try tools.read("values"), as: UTF8.self)
        #expect(values.components(separatedBy: "-----BEGIN").count == 4)
        #expect(
            try server.administer("device", "add", "x", "--balena", "$(id)").status == 64
        )
    }

    @Test func `need not fear that a device poses as the server`() throws {
        let server = try TestServer()
        let d = server.directory
        let fake = try Subprocess.start(
            "openssl",
            [
                "s_server", "-accept", "127.0.0.1:0", "-cert", d("kiosk/cert.pem"),
                "-key", d("kiosk/key.pem"), "-www",
            ]
        )
        try fake.waitForOutput(containing: "ACCEPT")
        let port = try #require(fake.text.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)/)).1
        // It is called by the very name in its certificate.
        let address = ["--resolve", "kiosk:\(port):127.0.0.1", "https://kiosk:\(port)/"]
        let refused = try TestServer.curl(["--cacert", d("kiosk/ca.pem")] + address)
        #expect(refused.exit == 60)
        #expect(try TestServer.curl(["--insecure"] + address).exit == 0, "the control")
        let ours = try Subprocess.run(
            Executables.secureInit,
            [
                "--env-only", "--key-source", "https://127.0.0.1:\(port)", "--cert",
                d("kiosk/cert.pem"), "--key", d("kiosk/key.pem"), "--ca", d("kiosk/ca.pem"),
                "--key-timeout", "3s", "--", "true",
            ]
        )
        #expect(ours.status == 69)
        #expect(ours.errorText.contains("not trusted"), "\(ours.errorText)")
    }
}
