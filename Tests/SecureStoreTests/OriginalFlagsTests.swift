import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables)) struct `The original's flags` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ arguments: String...) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureStore,
            arguments,
            environment: ["PATH": "/usr/bin:/bin"],
            directory: directory.path
        )
    }

    @Test func `print keys as the original did`() throws {
        let output = try run("-generate-keys", "-hostname", "secure-store-server", "-base64")
        let lines = output.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(output.status == 0)
        #expect(lines.count == 6)
        #expect(lines[0] == "Generating mTLS keys...")
        #expect(lines[1] == "\u{1b}[34m MTLS_CERT:")
        #expect(lines[3] == "\u{1b}[34m MTLS_KEY:")
        for (line, type) in [(lines[2], "CERTIFICATE"), (lines[4], "RSA PRIVATE KEY")] {
            #expect(line.hasPrefix("\u{1b}[0m"))
            let data = try #require(Data(base64Encoded: String(line.dropFirst(4))))
            #expect(String(decoding: data, as: UTF8.self).hasPrefix("-----BEGIN \(type)-----\n"))
        }
        #expect(try Subprocess.run("ls", [directory.path]).text.isEmpty)
    }

    @Test(.requires(.tool("openssl"), .tool("curl"), .tool("nginx")))
    func `write keys that nginx, openssl and curl take as server and as client`() throws {
        #expect(try run("-generate-keys", "-hostname", "localhost").status == 0)
        #expect(try Subprocess.run("stat", ["-c", "%a", directory("key.pem")]).text == "600\n")
        let port = try FreePort.any()
        try directory.write(
            """
            daemon off; pid \(directory("nginx.pid")); error_log stderr; worker_processes 1;
            events {}
            http { access_log off;
              client_body_temp_path \(directory.path)/b; proxy_temp_path \(directory.path)/p;
              fastcgi_temp_path \(directory.path)/f; uwsgi_temp_path \(directory.path)/u;
              scgi_temp_path \(directory.path)/s;
              server { listen 127.0.0.1:\(port) ssl; ssl_certificate \(directory("cert.pem"));
                ssl_certificate_key \(directory("key.pem"));
                ssl_client_certificate \(directory("cert.pem")); ssl_verify_client optional_no_ca;
                location /key { return 201 '$ssl_client_s_dn'; } } }
            """,
            to: "nginx.conf"
        )
        let nginx = try Subprocess.start("nginx", ["-c", directory("nginx.conf")])
        _ = nginx
        var answer = TestServer.Answer(exit: 7, status: 0, body: "")
        _ = waitUntil(timeout: 10) {
            answer =
                (try? TestServer.curl([
                    "--cacert", directory("cert.pem"), "--cert", directory("cert.pem"),
                    "--key", directory("key.pem"), "https://localhost:\(port)/key",
                ])) ?? answer
            return answer.exit != 7
        }
        #expect(answer.status == 201)
        #expect(answer.body == "CN=localhost")
        nginx.signal(SIGTERM)
        try nginx.wait(timeout: 10)
    }

    @Test(.requires(.tool("curl")), arguments: [true, false])
    func `serve with the shared certificate, from files or variables`(files: Bool) throws {
        _ = try run("-generate-keys", "-hostname", "localhost")
        let port = try FreePort.any()
        var environment = ["PATH": "/usr/bin:/bin", "STORE_PASSWORD": "hunter2"]
        let place: TemporaryDirectory
        if files {
            place = directory
        } else {
            place = try TemporaryDirectory()
            environment["MTLS_CERT"] = Data(try directory.read("cert.pem")).base64EncodedString()
            environment["MTLS_KEY"] = Data(try directory.read("key.pem")).base64EncodedString()
        }
        let server = try Subprocess.start(
            Executables.secureStore,
            ["-server", "-port", "\(port)"],
            environment: environment,
            directory: place.path
        )
        try server.waitForOutput(containing: "Listening for devices")
        let ca = ["--cacert", directory("cert.pem")]
        let own = ["--cert", directory("cert.pem"), "--key", directory("key.pem")]
        let answer = try TestServer.curl(ca + own + ["https://localhost:\(port)/key"])
        #expect(answer.status == 201)
        #expect(answer.body == #"{"password":"hunter2"}"#)
        #expect(server.errorText.contains("a stolen device can pose as the server"))
        #expect(
            server.errorText.contains("warning A key was asked for with the shared certificate")
        )
        // Nobody else gets in: no certificate, another shared one.
        #expect(try TestServer.curl(ca + ["https://localhost:\(port)/key"]).body.isEmpty)
        let other = try TemporaryDirectory()
        _ = try Subprocess.run(
            Executables.secureStore,
            ["-generate-keys"],
            directory: other.path
        )
        let stranger = try TestServer.curl(
            ca + [
                "--cert", other("cert.pem"), "--key", other("key.pem"),
                "https://localhost:\(port)/key",
            ]
        )
        #expect(stranger.exit != 0)
        #expect(stranger.body.isEmpty)
        // The original wrote the variables to files; nothing may appear here.
        if !files { #expect(try Subprocess.run("ls", [place.path]).text.isEmpty) }
        server.signal(SIGTERM)
        #expect(try server.wait(timeout: 15).status == 0)
    }

    @Test(.requires(.tool("curl")))
    func `are what it takes: without --legacy nobody shares a certificate`() throws {
        _ = try run("-generate-keys", "-hostname", "localhost")
        let state = directory("state")
        #expect(try run("ca", "init", "--state", state, "--hostname", "localhost").status == 0)
        // While a fleet migrates: devices of the original's and of the store's own at one server.
        let both = try directory.read("cert.pem") + directory.read("state/ca.pem")
        try directory.write(both, to: "both.pem")
        let serve = [
            "serve", "--state", state, "--listen", "127.0.0.1:0", "--admin-listen", "none",
            "--cert",
            directory("cert.pem"), "--key", directory("key.pem"), "--client-ca",
            directory("both.pem"),
        ]
        let environment = ["PATH": "/usr/bin:/bin", "STORE_PASSWORD": "hunter2"]
        let refused = try Subprocess.run(Executables.secureStore, serve, environment: environment)
        #expect(refused.status == 78)
        #expect(refused.errorText.contains("--legacy"), "\(refused.errorText)")
        let server = try Subprocess.start(
            Executables.secureStore,
            serve + ["--legacy"],
            environment: environment
        )
        try server.waitForOutput(containing: "Listening for devices")
        #expect(server.errorText.contains("shared certificates are accepted as well (--legacy)"))
        let port = try #require(server.errorText.firstMatch(of: /127\.0\.0\.1:(\d+)/)).1
        #expect(
            try run("device", "add", "pi", "--state", state, "--out", directory("pi")).status == 0
        )
        for (place, isLegacy) in [(directory.path, true), (directory("pi"), false)] {
            let answer = try TestServer.curl([
                "--cacert", directory("cert.pem"), "--cert", "\(place)/cert.pem", "--key",
                "\(place)/key.pem", "https://localhost:\(port)/key",
            ])
            #expect(answer.status == 201, "\(answer.body)")
            let entry = try run("audit", "tail", "--count", "1", "--state", state).text
            #expect(entry.contains(#""legacy":"shared certificate""#) == isLegacy, "\(entry)")
        }
        server.signal(SIGTERM)
        try server.wait(timeout: 15)
    }

    @Test func `make a key as the original did`() throws {
        let output = try run("-new-key")
        let expected =
            /Your new key can be used to encrypt strings using the `-string` flag:\n\x{1b}\[34m [0-9a-f]{64}\n\x{1b}\[0m/
        #expect(output.text.wholeMatch(of: expected) != nil)
    }

    @Test func `encrypt a string as the original did, with a warning`() throws {
        let output = try run("-string", "value", "-password", "hunter2")
        let match = try #require(
            output.text.wholeMatch(of: /Encrypted string:\n\x{1b}\[34m ([0-9a-f]{66})\n\x{1b}\[0m/)
        )
        #expect(output.errorText.contains("warning"))
        #expect(!output.errorText.contains("hunter2"))
        let decrypted = try Subprocess.run(
            Executables.secureStore,
            ["env", "decrypt", "ENCRYPTED_ANY=\(match.1)"],
            environment: ["STORE_PASSWORD": "hunter2"]
        )
        #expect(decrypted.text == "value")
    }

    /// Copies the executable with a program of its own: a descriptor open for writing here would be
    /// inherited by what other tests start, and the kernel does not execute a file being written.
    private func install(at path: String) throws {
        try #require(try Subprocess.run("cp", [Executables.secureStore, path]).status == 0)
    }

    @Test func `hand over to the secure-init beside it, arguments untouched`() throws {
        let copy = directory("secure-store")
        try install(at: copy)
        try directory.write(
            "#!/bin/sh\nfor a in \"$@\"; do printf '<%s>' \"$a\"; done\nexit 42\n",
            to: "secure-init",
            mode: 0o755
        )
        let output = try Subprocess.run(
            copy,
            ["-decrypt", "-hostname", "h", "--", "./start.sh", "a b", "-x"]
        )
        #expect(output.text == "<-decrypt><-hostname><h><--><./start.sh><a b><-x>")
        #expect(output.status == 42)
    }

    @Test func `say what is missing where there is no secure-init`() throws {
        let copy = directory("secure-store")
        try install(at: copy)
        let output = try Subprocess.run(
            copy,
            ["-decrypt"],
            environment: ["PATH": directory.path]
        )
        #expect(output.status == 78)
        #expect(output.errorText.contains("secure-init"))
    }
}
