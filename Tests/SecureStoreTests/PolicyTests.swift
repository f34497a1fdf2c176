import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl")))
struct `A policy` {
    /// Asks for the key from an address of this machine.
    private func ask(
        _ server: TestServer,
        from address: String = "127.0.0.1"
    ) throws
        -> TestServer.Answer
    {
        try server.get("/v1/unlock", ["--interface", address, "-d", TestServer.unlock("default")])
    }

    private func set(_ server: TestServer, _ rules: String...) throws {
        let output = try server.administer(["policy", "set"] + rules)
        try #require(output.status == 0, "\(output.errorText)")
    }

    @Test(arguments: [
        ["--device", "kiosk", "--allow", "127.0.0.2/32"],
        ["--tag", "north", "--deny", "127.0.0.1"],
        ["--fleet", "shops", "--allow", "127.0.0.2/31"],
        ["--all", "--deny", "127.0.0.0/31"],
        ["--key", "default", "--allow", "127.0.0.2", "--allow", "::1"],
    ])
    func `about addresses counts at once, and no longer when it is removed`(
        policy: [String]
    ) throws {
        let server = try TestServer()
        try server.administer("device", "label", "kiosk", "--fleet", "shops", "--tag", "north")
        #expect(try ask(server).status == 200)
        try server.administer(["policy", "set"] + policy)
        let denied = try ask(server)
        #expect(denied.status == 403)
        #expect(denied.body.contains(#""code":"address_denied""#))
        // The device learns neither the rule nor whom it is about.
        for word in ["127.0.0", "north", "shops", "sentinel"] {
            #expect(!denied.body.contains(word))
        }
        #expect(try ask(server, from: "127.0.0.2").status == 200, "the control")
        let entry = try #require(try server.audit().last { $0["result"] as? String == "refused" })
        let subject = policy[0] == "--all" ? "all" : policy[0].dropFirst(2) + " " + policy[1]
        let reason = try #require(entry["reason"] as? String)
        #expect(reason.hasPrefix("policy of \(subject): "), "\(reason)")
        #expect(server.log.contains(reason))
        let named = policy[0] == "--all" ? ["--all"] : Array(policy.prefix(2))
        try server.administer(["policy", "remove"] + named)
        #expect(try ask(server).status == 200)
    }

    @Test func `is of no concern to other devices and keys`() throws {
        let server = try TestServer()
        try server.administer("device", "add", "other", "--out", server.directory("other"))
        for subject in [["--device", "other"], ["--key", "other"], ["--tag", "north"]] {
            try server.administer(["policy", "set", "--deny", "0.0.0.0/0"] + subject)
        }
        #expect(try ask(server).status == 200)
    }

    @Test func `about the rate has the device wait, and a restart forgets nothing`() throws {
        let directory = try TemporaryDirectory()
        let first = try TestServer(in: directory)
        try set(first, "--device", "kiosk", "--rate", "2/1h")
        #expect(try ask(first).status == 200)
        #expect(try ask(first).status == 200)
        #expect(try ask(first).body.contains("rate_limited"))
        _ = try first.stop()
        let second = try TestServer(in: directory)
        let head = try Subprocess.run(
            "curl",
            ["-s", "-i"] + second.credentials + ["\(second.url)/key"]
        ).text.lowercased()
        #expect(head.hasPrefix("http/1.1 429"))
        let wait = try #require(head.firstMatch(of: /retry-after: (\d+)/))
        #expect((1...1800).contains(Int(wait.1) ?? 0))
        try second.administer("device", "restore", "kiosk")
        #expect(try ask(second).status == 200)
    }

    @Test func `about the number of releases ends with it, until the device is restored`() throws {
        let server = try TestServer()
        try set(server, "--all", "--max-releases", "2")
        #expect(try ask(server).status == 200)
        #expect(try ask(server).status == 200)
        let refused = try ask(server)
        #expect(refused.status == 403)
        #expect(refused.body.contains("releases_used_up"))
        try server.administer("device", "restore", "kiosk")
        #expect(try ask(server).status == 200)
    }

    @Test func `about hours has the device ask again`() throws {
        let server = try TestServer()
        // Today and tomorrow are never among these, whenever the test runs.
        let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        let today = Self.calendar.component(.weekday, from: Date()) - 1
        let others = (2..<7).map { days[(today + $0) % 7] }.joined(separator: ",")
        try set(server, "--all", "--hours", "\(others) 00:00-24:00")
        let refused = try ask(server)
        #expect(refused.status == 503)
        #expect(refused.body.contains("outside_hours"))
        try set(server, "--all", "--hours", "\(days[today])-\(days[(today + 1) % 7]) 00:00-24:00")
        #expect(try ask(server).status == 200, "the control")
    }

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    @Test func `about absence counts from when the device was last served`() throws {
        let server = try TestServer()
        try set(server, "--all", "--unseen", "1h")
        #expect(try ask(server).status == 200)
        let state = server.directory("state")
        let age = try Subprocess.run(
            "sqlite3",
            ["\(state)/store.db", "UPDATE devices SET seen_at=seen_at-7200000,added_at=0"]
        )
        try #require(age.status == 0)
        #expect(try ask(server).body.contains("unseen_too_long"))
        try server.administer("device", "restore", "kiosk")
        #expect(try ask(server).status == 200)
    }

    @Test func `can be asked what it would decide`() throws {
        let server = try TestServer()
        let root = server.directory("root")
        _ = try Subprocess.run(Executables.secureStore, ["key", "new", "--out", root])
        try server.administer("operator", "init", "--root-key-file", root)
        try server.administer("key", "new", "db", "--root-key-file", root)
        try server.administer("device", "label", "kiosk", "--tag", "north")
        try server.administer("grant", "add", "db", "--tag", "north")
        try set(
            server,
            "--tag",
            "north",
            "--allow",
            "192.0.2.0/24",
            "--hours",
            "mon 08:00-18:00 +01:00"
        )
        let test = { (key: String, address: String, time: String) in
            try server.administer([
                "policy", "test", "--device", "kiosk", "--key", key, "--from", address, "--at",
                time,
            ])
        }
        // 2026-11-23 is a Monday.
        let granted = try test("db", "192.0.2.7", "2026-11-23T07:00:00Z")
        #expect(granted.status == 0)
        #expect(
            granted.text == """
                granted
                  key db: granted to tag north
                  policy of tag north: allow 192.0.2.0/24
                  policy of tag north: hours mon 08:00-18:00 +01:00

                """
        )
        let late = try test("db", "192.0.2.7", "2026-11-23T18:00:00+01:00")
        #expect(late.status == 1)
        #expect(
            late.text
                == "refused: outside_hours\n  policy of tag north: hours mon 08:00-18:00 +01:00\n"
        )
        let elsewhere = try test("db", "::ffff:198.51.100.1", "2026-11-23T07:00:00Z")
        #expect(
            elsewhere.text == "refused: address_denied\n  policy of tag north: allow 192.0.2.0/24\n"
        )
        #expect(
            try test("no", "192.0.2.7", "2026-11-23T07:00:00Z").text.contains("no grant for no")
        )
        try server.administer("lockdown", "on")
        #expect(try test("db", "192.0.2.7", "2026-11-23T07:00:00Z").text.contains("lockdown"))
        #expect(try server.audit().allSatisfy { $0["act"] as? String != "release" })
        #expect(try test("db", "nowhere", "2026-11-23T07:00:00Z").status == 64)
        #expect(try test("db", "::1", "tomorrow").status == 64)
    }

    @Test func `that makes no sense is refused`() throws {
        let directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        let policy = { (arguments: [String]) in
            try TestServer.administer(directory, ["policy"] + arguments)
        }
        for arguments in [
            ["--all"], ["--allow", "::/0"], ["--all", "--tag", "north", "--allow", "::/0"],
            ["--key", "a/b", "--allow", "::/0"], ["--device", "none", "--allow", "::/0"],
            ["--all", "--burst", "1"], ["--all", "--rate", "1"],
            ["--all", "--rate", "1/1h", "--burst", "0"], ["--all", "--hours", "always"],
            ["--all", "--max-releases", "0"], ["--all", "--unseen", "1y"],
            ["--all", "--allow", "10.0.0.1/8"],
            ["--tag", "'; DROP TABLE policies", "--allow", "::/0"],
        ] {
            let output = try policy(["set"] + arguments)
            #expect(output.status == 64, "\(arguments) \(output.errorText)")
        }
        #expect(try policy(["list"]).text.isEmpty)
    }

    @Test func `follows its device to another name, and ends with it`() throws {
        let server = try TestServer()
        try set(server, "--device", "kiosk", "--max-releases", "1")
        #expect(try ask(server).status == 200)
        try server.administer("device", "rename", "kiosk", "till")
        #expect(try ask(server).body.contains("releases_used_up"))
        #expect(try server.administer("policy", "list").text == "device till  releases 1\n")
        #expect(try server.administer("policy", "show", "--device", "till").text == "releases 1\n")
        try server.administer("device", "remove", "till")
        #expect(try server.administer("policy", "list").text.isEmpty)
        #expect(try server.administer("policy", "show", "--device", "till").status == 64)
    }
}
