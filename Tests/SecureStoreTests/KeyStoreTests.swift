import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"))) struct `Keys in a server's store` {
    private let directory: TemporaryDirectory
    private let server: TestServer

    init() throws {
        directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        try directory.write("root-sentinel passphrase\n", to: "root")
        for arguments in [
            ["operator", "init"], ["key", "new", "default"],
            ["key", "new", "db", "--from", try directory.write("db-sentinel-x", to: "db")],
        ] {
            try TestServer.succeed(directory, arguments + ["--root-key-file", directory("root")])
        }
        server = try TestServer(
            ["--root-key-file", directory("root")],
            environment: ["STORE_PASSWORD": ""],
            in: directory
        )
    }

    private func root(_ arguments: String...) throws -> Subprocess.Output {
        try server.administer(arguments + ["--root-key-file", directory("root")])
    }

    private func unlock(_ names: String...) throws -> TestServer.Answer {
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        return try server.get(
            "/v1/unlock",
            ["-d", #"{"device":"me","boot_id":"b","keys":[\#(list)],"version":"1"}"#]
        )
    }

    @Test(arguments: [
        ["--device", "kiosk"], ["--tag", "north"], ["--fleet", "shops"], ["--all"],
    ])
    func `go to whom they are granted, from that moment until it is taken back`(
        subject: [String]
    ) throws {
        try server.administer("device", "label", "kiosk", "--fleet", "shops", "--tag", "north")
        let before = try unlock("db")
        #expect(before.status == 403)
        #expect(before.body.contains("'db'"))
        #expect(try server.administer(["grant", "add", "db"] + subject).status == 0)
        #expect(try unlock("db").body == #"{"keys":{"db":"db-sentinel-x"},"lease":0}"#)
        // All or nothing: the other one is not granted.
        let both = try unlock("db", "default")
        #expect(both.status == 403)
        #expect(both.body.contains("'default'"))
        #expect(!both.body.contains("sentinel"))
        #expect(try server.administer(["grant", "remove", "db"] + subject).status == 0)
        #expect(try unlock("db").status == 403)
    }

    @Test func `go to no certificate that the store has not given`() throws {
        try server.administer("grant", "add", "db", "--all")
        // Signed by the very authority, and with a device's name, by who stole its key.
        let d = directory
        try d.write("extendedKeyUsage=clientAuth\nsubjectAltName=DNS:kiosk\n", to: "ext")
        for arguments in [
            [
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=kiosk", "-keyout", d("forged.key"), "-out", d("forged.csr"),
            ],
            [
                "x509", "-req", "-in", d("forged.csr"), "-CA", d("state/ca.pem"), "-CAkey",
                d("state/ca-key.pem"), "-CAcreateserial", "-days", "1", "-extfile", d("ext"),
                "-out", d("forged.pem"),
            ],
        ] {
            try #require(try Subprocess.run("openssl", arguments).status == 0)
        }
        let forged = try TestServer.curl([
            "--cacert", d("kiosk/ca.pem"), "--cert", d("forged.pem"), "--key", d("forged.key"),
            "-d", TestServer.unlock("db"), "\(server.url)/v1/unlock",
        ])
        #expect(forged.status == 403)
        #expect(!forged.body.contains("sentinel"))
        #expect(try unlock("db").status == 200, "the control")
    }

    @Test func `rotate while devices still hold values of the older one`() throws {
        try server.administer("grant", "add", "default", "--device", "kiosk")
        #expect(try root("key", "export", "default", "--out", directory("first.key")).status == 0)
        let value = try Subprocess.run(
            Executables.secureStore,
            ["env", "encrypt", "X", "--key-file", directory("first.key")],
            standardInput: Array("hello".utf8)
        ).text.trimmingCharacters(in: .newlines)
        func start() throws -> Subprocess.Output {
            let pair = value.split(separator: "=", maxSplits: 1).map(String.init)
            return try Subprocess.run(
                Executables.secureInit,
                [
                    "--env-only", "--key-source", server.url, "--cert",
                    directory("kiosk/cert.pem"), "--key", directory("kiosk/key.pem"), "--ca",
                    directory("kiosk/ca.pem"), "--key-timeout", "20s", "--", "sh", "-c",
                    "echo \"$X\"",
                ],
                environment: ["PATH": "/usr/bin:/bin", pair[0]: pair[1]]
            )
        }
        #expect(try start().text == "hello\n")
        #expect(try root("key", "rotate", "default").status == 0)
        let after = try start()
        #expect(after.text == "hello\n", "\(after.errorText)")
        let used = try server.audit().last { $0["result"] as? String == "released" }
        #expect(used?["generations"] as? [String] == ["default/1", "default/2"])
        // Somebody had it a moment ago.
        let refused = try server.administer("key", "retire", "default", "1")
        #expect(refused.status == 64)
        #expect(refused.errorText.contains("kiosk got it at"))
        let dated = try server.administer([
            "key", "retire", "default", "1", "--unused-since", "2026-01-01",
        ])
        #expect(dated.status == 64)
        #expect(dated.errorText.contains("a device got it at"))
        let shown = try server.administer("key", "show", "default").text
        #expect(shown.split(separator: "\n").filter { $0.contains("kiosk  since") }.count == 2)
        #expect(
            try server.administer([
                "key", "retire", "default", "1", "--unused-since", "2100-01-01T00:00:00Z",
            ]).status == 0
        )
        let late = try start()
        #expect(late.status == 65)
        #expect(late.text.isEmpty)
        #expect(try server.administer("key", "list").text.contains("retired"))
    }

    @Test func `are nowhere in the files of a server that has given them out`() throws {
        try server.administer("grant", "add", "db", "--all")
        try server.administer("grant", "add", "default", "--all")
        let body = try unlock("db", "default").body
        let generated = try #require(body.firstMatch(of: /ssk1_([A-Za-z0-9_-]{43})/)).1
        let bytes = try #require(
            Data(
                base64Encoded: generated.replacing("-", with: "+").replacing("_", with: "/") + "="
            )
        )
        _ = try server.stop()
        let sentinels = [
            Data("db-sentinel-x".utf8), Data("root-sentinel".utf8), Data(generated.utf8), bytes,
        ]
        var searched = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: directory("state"))
        where name != "operator.sock" {
            let contents = Data(try directory.read("state/\(name)"))
            searched += contents.count
            for (index, sentinel) in sentinels.enumerated() {
                #expect(contents.firstRange(of: sentinel) == nil, "\(index) in \(name)")
            }
        }
        // The control: what is no secret is found.
        let database = Data(try directory.read("state/store.db"))
        #expect(database.firstRange(of: Data("kiosk".utf8)) != nil)
        #expect(searched > 50_000)
    }

    @Test func `stay sealed without the root key, and open with systemd's credential`() throws {
        try server.administer("grant", "add", "db", "--all")
        _ = try server.stop()
        let sealed = try TestServer(in: directory)
        let answer = try sealed.get("/v1/unlock", ["-d", TestServer.unlock("db")])
        #expect(answer.status == 503)
        #expect(answer.body.contains(#""code":"sealed""#))
        #expect(sealed.log.contains("are sealed"))
        // The command line's key goes on being given out.
        #expect(try sealed.get("/v1/unlock", ["-d", TestServer.unlock("other")]).status == 403)
        _ = try sealed.stop()
        try directory.write("root-sentinel passphrase\n", to: "credentials/root-key")
        let opened = try TestServer(
            environment: ["CREDENTIALS_DIRECTORY": directory("credentials")],
            in: directory
        )
        #expect(try opened.get("/v1/unlock", ["-d", TestServer.unlock("db")]).status == 200)
        #expect(!opened.log.contains("root-sentinel"))
        let wrong = try directory.write("wrong", to: "wrong")
        let refused = try Subprocess.run(
            Executables.secureStore,
            ["serve", "--state", directory("state"), "--root-key-file", wrong],
            environment: ["PATH": "/usr/bin:/bin"]
        )
        #expect(refused.status == 65)
        #expect(refused.errorText.contains("does not open the store"))
    }
}
