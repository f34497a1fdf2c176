import Foundation
import TestSupport
import Testing

/// KILL in the middle of what an operator does: at moments drawn anew in each run, over the whole of
/// the time that the command takes.
@Suite(.requires(.executables, .tool("sqlite3"), .tool("curl")))
struct `An operator's act that is killed` {
    private static let rounds = 6

    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        for name in ["a", "b"] {
            let made = try Subprocess.run(
                Executables.secureStore,
                ["key", "new", "--out", directory(name)]
            )
            try #require(made.status == 0, "\(made.errorText)")
        }
        try succeed("operator", "init", "--root-key-file", directory("a"))
        try succeed("key", "new", "k", "--root-key-file", directory("a"))
        try succeed("audit", "checkpoint", "--root-key-file", directory("a"))
    }

    private func command(_ arguments: [String]) -> [String] {
        arguments + ["--state", directory("state")]
    }

    @discardableResult
    private func administer(_ arguments: String...) throws -> Subprocess.Output {
        try TestServer.administer(directory, arguments)
    }

    private func succeed(_ arguments: String...) throws {
        try TestServer.succeed(directory, arguments)
    }

    private func query(_ sql: String) throws -> [String] {
        let output = try Subprocess.run("sqlite3", [directory("state/store.db"), sql])
        try #require(output.status == 0, "\(output.errorText)")
        return output.text.split(separator: "\n").map(String.init)
    }

    /// Runs a command to its end, then again and again with an end of its own; holds the store
    /// against its log each time.
    private func kill(
        _ arguments: (Int) -> [String],
        check: (Int) throws -> Void
    ) throws {
        let start = ContinuousClock.now
        let whole = try Subprocess.run(Executables.secureStore, command(arguments(0)))
        let length = ContinuousClock.now - start
        try #require(whole.status == 0, "\(whole.errorText)")
        try check(0)
        for round in 1...Self.rounds {
            let process = try Subprocess.start(Executables.secureStore, command(arguments(round)))
            usleep(UInt32.random(in: 0...UInt32(max(1, length / .microseconds(1)))))
            process.signal(SIGKILL)
            _ = try process.wait()
            let verify = try administer("audit", "verify")
            #expect(verify.status == 0, "\(verify.errorText)")
            #expect(try query("PRAGMA integrity_check") == ["ok"])
            try check(round)
        }
    }

    /// What the log says was done, by the name in a field.
    private func done(_ act: String, _ field: String) throws -> [String] {
        try query(
            "SELECT entry ->> '$.\(field)' FROM audit WHERE entry ->> '$.act' = '\(act)' ORDER BY 1"
        )
    }

    @Test func `adds a device and says so, or neither`() throws {
        try kill {
            ["device", "add", "d\($0)", "--out", directory("d\($0)")]
        } check: { round in
            let (names, added) = (
                try query("SELECT name FROM devices ORDER BY 1"), try done("device.add", "device")
            )
            #expect(names == added)
            // Credentials are there before the store takes them in: a device that is known has its own.
            for name in try query("SELECT name FROM devices WHERE name LIKE 'd%'") {
                #expect(FileManager.default.fileExists(atPath: directory("\(name)/key.pem")))
            }
        }
    }

    @Test func `makes a key and says so, or neither`() throws {
        try kill {
            ["key", "new", "k\($0)", "--root-key-file", directory("a")]
        } check: { _ in
            let names = try query("SELECT DISTINCT key FROM generations ORDER BY 1")
            let added = try done("key.new", "key")
            #expect(names == added)
        }
    }

    @Test func `sets a policy and says so, or neither`() throws {
        try kill {
            ["policy", "set", "--tag", "t\($0)", "--max-releases", "5"]
        } check: { _ in
            let set = try query("SELECT 'tag ' || subject FROM policies ORDER BY 1")
            let said = try done("policy.set", "act")
            #expect(set.count == said.count)
        }
    }

    @Test func `leaves a store that one root key opens, the old one or the new`() throws {
        var present = "a"
        var killed = 0
        try kill { _ in
            let other = present == "a" ? "b" : "a"
            return [
                "operator", "rekey", "--root-key-file", directory(present), "--new-root-key-file",
                directory(other),
            ]
        } check: { _ in
            let opens = try ["a", "b"].filter {
                try administer("key", "export", "k", "--root-key-file", directory($0)).status == 0
            }
            #expect(opens.count == 1)
            if opens.first == present { killed += 1 }
            present = opens.first ?? present
        }
        #expect(killed <= Self.rounds)
    }

    @Test func `writes a copy that is whole, or none`() throws {
        try kill {
            ["operator", "backup", directory("copy\($0).db")]
        } check: { round in
            let copy = directory("copy\(round).db")
            guard FileManager.default.fileExists(atPath: copy) else { return }
            let fresh = directory("fresh\(round)")
            let restored = try Subprocess.run(
                Executables.secureStore,
                ["operator", "restore", copy, "--state", fresh]
            )
            #expect(restored.status == 0, "\(restored.errorText)")
        }
    }

    @Test func `puts a whole copy in place, or none, and can be done again`() throws {
        let copy = directory("copy.db")
        try succeed("operator", "backup", copy)
        let entries = try query("SELECT count(*) FROM audit")
        for round in 1...Self.rounds {
            let fresh = directory("fresh\(round)")
            let restore = ["operator", "restore", copy, "--state", fresh]
            let process = try Subprocess.start(Executables.secureStore, restore)
            usleep(UInt32.random(in: 0...150_000))
            process.signal(SIGKILL)
            _ = try process.wait()
            if !FileManager.default.fileExists(atPath: "\(fresh)/store.db") {
                let again = try Subprocess.run(Executables.secureStore, restore)
                #expect(again.status == 0, "\(again.errorText)")
            }
            let found = try Subprocess.run(
                "sqlite3",
                ["\(fresh)/store.db", "SELECT count(*) - 1 FROM audit"]
            )
            #expect(found.text.split(separator: "\n").map(String.init) == entries)
        }
    }

    @Test func `cuts the log where its file says, or not at all`() throws {
        try kill { round in
            ["audit", "trim", "--before", "2100-01-01", "--out", directory("old\(round)")]
        } check: { round in
            let file = directory("old\(round)")
            let base = try query("SELECT number FROM audit_base").first.flatMap { Int($0) } ?? 0
            let first = try query("SELECT min(number) FROM audit").first.flatMap { Int($0) }
            #expect(first == base + 1)
            if FileManager.default.fileExists(atPath: file) {
                let verify = try Subprocess.run(Executables.secureStore, ["audit", "verify", file])
                #expect(verify.status == 0, "\(verify.errorText)")
            }
            // Something to cut for the next.
            try succeed("lockdown", "on")
            try succeed("audit", "checkpoint", "--root-key-file", directory("a"))
        }
    }

    @Test func `leaves a server sealed that was killed while it took shares`() throws {
        let made = try administer(
            "operator",
            "rekey",
            "--root-key-file",
            directory("a"),
            "--shares",
            "2",
            "--threshold",
            "2",
            "--shares-out",
            directory("shares")
        )
        try #require(made.status == 0, "\(made.errorText)")
        try succeed("grant", "add", "k", "--all")
        for _ in 0..<3 {
            let server = try TestServer(environment: ["STORE_PASSWORD": ""], in: directory)
            let unseal = try Subprocess.start(
                Executables.secureStore,
                command([
                    "operator", "unseal", "--share-file", directory("shares/share-1"),
                    "--share-file", directory("shares/share-2"),
                ])
            )
            usleep(UInt32.random(in: 0...100_000))
            server.process.signal(SIGKILL)
            _ = try server.process.wait()
            _ = try unseal.wait()
            let again = try TestServer(environment: ["STORE_PASSWORD": ""], in: directory)
            let answer = try again.get("/v1/unlock", ["-d", TestServer.unlock("k")])
            #expect(answer.status == 503)
            #expect(answer.body.contains("sealed"))
            #expect(try again.administer("audit", "verify").status == 0)
            _ = try again.stop()
        }
    }
}
