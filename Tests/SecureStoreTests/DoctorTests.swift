import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables)) struct `The doctor` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func outcomes(_ output: Subprocess.Output) throws -> [String: String] {
        struct Report: Decodable {
            struct Line: Decodable {
                var name: String
                var outcome: String
                var found: String
                var fix: String?
            }
            var ok: Bool
            var checks: [Line]
        }
        let report = try JSONDecoder().decode(Report.self, from: Data(output.standardOutput))
        #expect(report.ok == (output.status == 0))
        #expect(report.ok == !report.checks.contains { $0.outcome == "failure" })
        for check in report.checks where ["failure", "warning"].contains(check.outcome) {
            #expect(check.fix?.isEmpty == false, "\(check)")
        }
        return Dictionary(uniqueKeysWithValues: report.checks.map { ($0.name, $0.outcome) })
    }

    private func run(
        _ arguments: [String],
        under: [String] = [],
        password: String? = nil
    ) throws -> Subprocess.Output {
        var environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        environment["STORE_PASSWORD"] = password
        let command = under + [Executables.secureStore, "doctor", "--json"] + arguments
        return try Subprocess.run(
            command[0],
            Array(command.dropFirst()),
            environment: environment,
            directory: directory.path
        )
    }

    @Test func `finds a server that takes the device, and gets no key`() throws {
        let server = try TestServer()
        let kiosk = server.directory
        let output = try run([
            "--env-only", "--server", "\(server.url)", "--cert", kiosk("kiosk/cert.pem"), "--key",
            kiosk("kiosk/key.pem"), "--ca", kiosk("kiosk/ca.pem"), "--state", kiosk("state"),
        ])
        #expect(output.status == 0, "\(output.text)")
        let found = try outcomesWithRepeats(output)
        for name in ["kernel", "clock", "certificate", "authority", "server", "clocks"] {
            #expect(found[name] == "ok", "\(name)")
        }
        #expect(!server.log.contains("Key released"))
        #expect(!output.text.contains("a1b2c3"))
    }

    /// The authority is looked at twice where device and server are one machine.
    private func outcomesWithRepeats(_ output: Subprocess.Output) throws -> [String: String] {
        let object =
            try JSONSerialization.jsonObject(with: Data(output.standardOutput)) as? [String: Any]
        let checks = try #require(object?["checks"] as? [[String: Any]])
        return Dictionary(
            checks.compactMap { check in
                (check["name"] as? String).flatMap { name in
                    (check["outcome"] as? String).map { (name, $0) }
                }
            },
            uniquingKeysWith: { $0 == "ok" ? $1 : $0 }
        )
    }

    @Test func `finds a server it does not trust, or that is not there`() throws {
        let server = try TestServer()
        try TestServer.prepare(directory)
        let own = [
            "--cert", directory("kiosk/cert.pem"), "--key", directory("kiosk/key.pem"), "--ca",
            directory("kiosk/ca.pem"), "--state", directory("none"),
        ]
        let stranger = try run(["--env-only", "--server", server.url] + own)
        #expect(stranger.status == 1)
        #expect(try outcomes(stranger)["server"] == "failure")
        #expect(stranger.text.contains("not trusted"))
        let away = try run(["--env-only", "--server", "https://127.0.0.1:1"] + own)
        #expect(away.status == 1)
        #expect(away.text.contains("refuses connections"))
        let nowhere = try run(["--env-only", "--server", "https://nowhere.invalid"] + own)
        #expect(nowhere.text.contains("does not resolve"))
    }

    @Test func `finds a key that is another certificate's`() throws {
        try TestServer.prepare(directory)
        let output = try run([
            "--env-only", "--cert", directory("kiosk/cert.pem"), "--key",
            directory("state/server-key.pem"), "--state", directory("none"),
        ])
        #expect(output.status == 1)
        #expect(try outcomes(output)["certificate"] == "failure")
    }

    @Test(.requires(.root, .tool("setpriv")))
    func `finds a missing capability`() throws {
        let output = try run([], under: ["setpriv", "--bounding-set", "-sys_admin"])
        #expect(output.status == 1)
        #expect(try outcomes(output)["capability"] == "failure")
        // The control.
        #expect(try outcomes(run([]))["capability"] == "ok")
    }

    @Test(.requires(.root, .tool("unshare")))
    func `finds a missing FUSE device`() throws {
        let hidden = [
            "unshare", "-m", "sh", "-c", "mount -t tmpfs none /dev; exec \"$@\"", "sh",
        ]
        let output = try run([], under: hidden)
        #expect(output.status == 1)
        #expect(try outcomes(output)["/dev/fuse"] == "failure")
        let without = try outcomes(run(["--env-only"], under: hidden))
        #expect(without["/dev/fuse"] == nil)
    }

    @Test func `tries the volume with the key`() throws {
        let demo = Fixtures.path("secure-store-demo")
        let arguments = [
            "--storage", "\(demo)/storage", "--config", "\(demo)/encrypt.conf", "--mount",
            directory("view"),
        ]
        let right = "my-password-eQ4al9jgPxlWDwxL6uiGdznhhVJzaVQPnkNRjwvwoTvqWpeBJJJZ"
        #expect(try outcomes(run(arguments, password: right))["volume"] == "ok")
        #expect(try outcomes(run(arguments))["volume"] == "ok")
        let wrong = try run(arguments, password: "hunter2")
        #expect(try outcomes(wrong)["volume"] == "failure")
        #expect(wrong.status == 1)
        #expect(!wrong.text.contains("hunter2"))
    }

    @Test func `finds a gocryptfs volume's configuration in its storage, and tries it`() throws {
        let arguments = [
            "--storage", Fixtures.path("gocryptfs/xchacha"), "--mount", directory("view"),
        ]
        let right = try run(arguments, password: "golden volume")
        #expect(try outcomes(right)["volume"] == "ok")
        #expect(right.text.contains("gocryptfs, xchacha20-poly1305"), "\(right.text)")
        #expect(try outcomes(run(arguments))["volume"] == "ok")
        #expect(try outcomes(run(arguments, password: "hunter2"))["volume"] == "failure")
    }

    @Test func `finds a volume without its configuration, and a mount point in use`() throws {
        try directory.write("x", to: "storage/file")
        try directory.write("x", to: "decrypted/file")
        let found = try outcomes(run([]))
        #expect(found["volume"] == "failure")
        #expect(found["mount point"] == "failure")
        let empty = try TemporaryDirectory()
        let fresh = try outcomes(
            run(["--storage", empty("s"), "--mount", empty("m"), "--config", empty("c")])
        )
        #expect(fresh["volume"] == "skipped")
        #expect(fresh["mount point"] == "ok")
    }

    @Test func `writes a table for people`() throws {
        let output = try Subprocess.run(
            Executables.secureStore,
            ["doctor", "--env-only", "--state", directory("none")],
            environment: ["PATH": "/usr/bin:/bin"],
            directory: directory.path
        )
        #expect(output.status == 0)
        #expect(output.text.contains("ok       kernel"))
    }
}
