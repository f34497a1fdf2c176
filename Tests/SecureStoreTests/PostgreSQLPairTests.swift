import Foundation
import TestSupport
import Testing

/// The built executable, twice, on one database that it reaches over TLS with a password.
@Suite(.requires(.executables, .tool("curl"), .tool("openssl"), .tool("python3"), .tool("psql")))
struct `Two servers on one PostgreSQL` {
    @Test func `grant, revoke, count, lock down and audit as one`() throws {
        let pair = try ServerPair()
        let (one, other) = try (pair.start(pair.first), pair.start(pair.second))
        func statuses() throws -> [Int] { try [pair.ask(one), pair.ask(other)].map(\.status) }

        #expect(try statuses() == [403, 403])
        try pair.administer("grant", "add", "k", "--device", "kiosk")
        #expect(try statuses() == [200, 200])
        try pair.administer("device", "revoke", "kiosk")
        #expect(try statuses() == [403, 403])
        try pair.administer("device", "restore", "kiosk")
        try pair.administer("lockdown", "on")
        #expect(try statuses() == [503, 503])
        try pair.administer("lockdown", "off")
        #expect(try statuses() == [200, 200])

        try pair.administer("policy", "set", "--key", "k", "--rate", "3/24h")
        #expect(try statuses() + statuses() + statuses() == [200, 200, 200, 429, 429, 429])
        try pair.administer("policy", "remove", "--key", "k")

        // Both at once, so that their entries lie between each other's.
        let load = try [one, other].map { try pair.load($0) }
        #expect(waitUntil(timeout: 60) { load.allSatisfy { $0.text.count > 400 } })
        for process in load { process.signal(SIGKILL) }
        #expect(try pair.administer("audit", "verify").status == 0)
        #expect(try pair.database.execute(ServerPair.encrypted, in: "store") == "t\n")
        for server in [one, other] {
            #expect(try server.stop().status == 0)
            #expect(!server.log.contains(ServerPair.password))
        }
    }

    @Test func `are unsealed each for itself, with the same shares`() throws {
        let pair = try ServerPair(opens: .withShares)
        try pair.administer("grant", "add", "k", "--device", "kiosk")
        let (one, other) = try (pair.start(pair.first), pair.start(pair.second))
        func statuses() throws -> [Int] { try [pair.ask(one), pair.ask(other)].map(\.status) }
        /// Gives a share to the server of a directory; a server is asked over its own socket.
        func give(_ number: Int, to directory: TemporaryDirectory) throws -> String {
            let share = pair.first("shares/share-\(number)")
            let state = ["--state", directory("state")]
            let output = try pair.run(["operator", "unseal", "--share-file", share] + state)
            try #require(output.status == 0, "\(output.errorText)")
            return output.text
        }
        #expect(try statuses() == [503, 503])
        #expect(try give(1, to: pair.first).contains("1 of 2 shares"))
        #expect(try give(2, to: pair.second).contains("1 of 2 shares"), "one is not the other's")
        #expect(try statuses() == [503, 503])
        #expect(try give(3, to: pair.first) == "the store is open\n")
        #expect(try statuses() == [200, 503], "the second is sealed still")
        // Both go on from what the other has written to the log meanwhile.
        #expect(try give(1, to: pair.second) == "the store is open\n")
        #expect(try statuses() == [200, 200])
        let seal = try pair.run(["operator", "seal", "--state", pair.first("state")])
        #expect(seal.status == 0, "\(seal.errorText)")
        #expect(try statuses() == [503, 200])
        // A rekey counts for both: the one that is open goes on, the other wants the new shares.
        try pair.administer(
            "operator",
            "rekey",
            "--share-file",
            pair.first("shares/share-1"),
            "--share-file",
            pair.first("shares/share-2"),
            "--shares",
            "2",
            "--threshold",
            "2",
            "--shares-out",
            pair.first("new")
        )
        #expect(try statuses() == [503, 200])
        let old = try pair.run([
            "operator", "unseal", "--share-file", pair.first("shares/share-1"), "--state",
            pair.first("state"),
        ])
        #expect(old.status == 65)
        #expect(old.errorText.contains("which was replaced on"), "\(old.errorText)")
        for number in 1...2 {
            let share = pair.first("new/share-\(number)")
            let state = ["--state", pair.first("state")]
            let given = try pair.run(["operator", "unseal", "--share-file", share] + state)
            #expect(given.status == 0, "\(given.errorText)")
        }
        #expect(try statuses() == [200, 200])
        #expect(try pair.administer("audit", "verify").status == 0)
    }

    @Test func `release nothing unrecorded when it is killed, and go on when it is back`() throws {
        let pair = try ServerPair()
        try pair.administer("grant", "add", "k", "--device", "kiosk")
        let servers = try [pair.start(pair.first), pair.start(pair.second)]
        let load = try servers.map { try pair.load($0) }
        let all = { (wanted: String, count: Int) in
            waitUntil(timeout: 60) {
                load.allSatisfy { $0.text.components(separatedBy: wanted).count > count }
            }
        }
        #expect(all("200 ", 50))
        try pair.database.kill()
        #expect(all("503 10", 5), "\(load.map(\.text))")
        let before = load.map(\.text.count)
        try pair.database.start()
        #expect(
            waitUntil(timeout: 60) {
                zip(load, before).allSatisfy { $0.text.dropFirst($1).contains("200 ") }
            },
            "never went on"
        )
        for process in load { process.signal(SIGKILL) }
        let given = try load.reduce(0) {
            $0 + (try $1.wait().text.components(separatedBy: "200 ").count - 1)
        }
        let log = try pair.administer("audit", "export").text
        let recorded = log.components(separatedBy: #"\"result\":\"released\""#).count - 1
        #expect(recorded >= given, "\(recorded) recorded, \(given) given")
        #expect(given > 100)
        #expect(try pair.administer("audit", "verify").status == 0)
        #expect(!servers.contains { $0.log.contains(ServerPair.password) })
    }

    @Test func `is refused by who it cannot be proved to, and no password is told`() throws {
        let pair = try ServerPair(startsServers: false)
        let state = ["audit", "verify", "--state", pair.first("state")]
        // Another authority's certificate.
        let other = try pair.makeCertificate("other")
        let untrusted = try pair.run(state + ["--database", pair.url(authority: other)])
        #expect(untrusted.status == 74)
        #expect(untrusted.errorText.contains("certificate verify failed"))
        // Another name than the certificate's.
        let name = pair.url().replacingOccurrences(of: "@localhost", with: "@127.0.0.1")
        #expect(try pair.run(state + ["--database", name]).status == 74)
        try pair.first.write("wrong-sentinel\n", to: "wrong")
        let wrong = try Subprocess.run(
            Executables.secureStore,
            state + ["--database", pair.url(), "--database-password-file", pair.first("wrong")]
        )
        #expect(wrong.status == 74)
        #expect(wrong.errorText.contains("password authentication failed"))
        #expect(!wrong.errorText.contains("sentinel"))
        // A password that everybody sees draws a warning, wherever it stands; a variable does not.
        let secret = "sentinel%2F%40%3A%25"
        let inURL = pair.url().replacingOccurrences(of: "store@", with: "store:\(secret)@")
        let warned = try Subprocess.run(Executables.secureStore, state + ["--database", inURL])
        #expect(warned.status == 0)
        #expect(warned.errorText.contains("visible to every user"))
        #expect(!warned.errorText.contains("sentinel"))
        let quiet = try Subprocess.run(
            Executables.secureStore,
            state,
            environment: ["PATH": "/usr/bin:/bin", "STORE_DATABASE": inURL]
        )
        #expect(quiet.status == 0)
        #expect(quiet.errorText == "")
        // What belongs to a file is refused, by name.
        for act in ["backup", "restore"] {
            let output = try pair.run(["operator", act, "f", "--state", pair.first("state")])
            #expect(output.status == 78)
            #expect(output.errorText.contains("pg_dump"))
        }
        let text = "host=localhost password=sentinel"
        let malformed = try Subprocess.run(Executables.secureStore, state + ["--database", text])
        #expect(malformed.status == 64)
        #expect(!malformed.errorText.contains("sentinel"))
    }
}

/// A database, and the directories of two servers of which the second has no authority's key.
private final class ServerPair {
    static let password = "sentinel/@:%"

    /// Whether every session of the store's role is encrypted, and there is one.
    static let encrypted = """
        SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE usename = 'store'
        """

    /// What opens the store.
    enum Opening {
        /// A root key that both servers have in a file.
        case withKey

        /// Three shares, any two of which do.
        case withShares
    }

    let first: TemporaryDirectory
    let second: TemporaryDirectory
    let database: PostgreSQLServer
    private let opening: Opening

    init(startsServers: Bool = true, opens opening: Opening = .withKey) throws {
        self.opening = opening
        first = try TemporaryDirectory()
        second = try TemporaryDirectory()
        let certificate = try Self.makeCertificate(in: first("db"))
        database = try PostgreSQLServer(
            settings: ["ssl = on"],
            access: ["local all all trust", "hostssl all all 127.0.0.1/32 scram-sha-256"],
            listens: true,
            files: [
                "server.crt": try first.read("db.crt"), "server.key": try first.read("db.key"),
            ]
        )
        try database.execute("CREATE ROLE store LOGIN PASSWORD '\(Self.password)'", in: "postgres")
        try database.execute("CREATE DATABASE store OWNER store", in: "postgres")
        try first.write("\(Self.password)\n", to: "password", mode: 0o600)
        try #require(FileManager.default.fileExists(atPath: certificate))
        try administer(["ca", "init"], "--hostname", "127.0.0.1")
        guard startsServers else { return }
        try administer(["ca", "issue-server", second("state")], "--hostname", "127.0.0.1")
        #expect(!FileManager.default.fileExists(atPath: second("state/ca-key.pem")))
        switch opening {
        case .withKey:
            let key = try Subprocess.run(Executables.secureStore, ["key", "new"])
            try first.write(key.standardOutput, to: "root.key", mode: 0o600)
            try second.write(key.standardOutput, to: "root.key", mode: 0o600)
            try administer("operator", "init", "--root-key-file", first("root.key"))
            try administer("key", "new", "k", "--root-key-file", first("root.key"))
        case .withShares:
            let shares = ["--shares", "3", "--threshold", "2", "--shares-out", first("shares")]
            try #require(run(["operator", "init", "--state", first("state")] + shares).status == 0)
            let files = ["--share-file", first("shares/share-1"), "--share-file"]
            let last = [first("shares/share-2"), "--state", first("state")]
            try #require(run(["key", "new", "k"] + files + last).status == 0)
        }
        try administer("device", "add", "kiosk", "--out", first("kiosk"))
    }

    func url(authority: String? = nil) -> String {
        "postgres://store@localhost:\(database.port ?? 0)/store?sslmode=verify-full&sslrootcert="
            + (authority ?? first("db.crt"))
    }

    func makeCertificate(_ name: String) throws -> String {
        try Self.makeCertificate(in: first(name))
    }

    private static func makeCertificate(in path: String) throws -> String {
        let output = try Subprocess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2",
                "-keyout", "\(path).key", "-out", "\(path).crt",
            ]
        )
        try #require(output.status == 0, "\(output.errorText)")
        return "\(path).crt"
    }

    private var environment: [String: String] {
        ["PATH": "/usr/bin:/bin", "STORE_DATABASE": url()]
    }

    private var passwordOption: [String] { ["--database-password-file", first("password")] }

    func start(_ directory: TemporaryDirectory) throws -> TestServer {
        try TestServer(
            passwordOption
                + (opening == .withKey ? ["--root-key-file", directory("root.key")] : []),
            environment: environment,
            in: directory
        )
    }

    /// Runs the tool with the database's password.
    func run(_ arguments: [String]) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureStore,
            arguments + passwordOption,
            environment: environment
        )
    }

    /// Runs an operator's command that must succeed.
    @discardableResult
    func administer(_ arguments: String...) throws -> Subprocess.Output {
        let output = try run(arguments + ["--state", first("state")])
        try #require(output.status == 0, "\(arguments): \(output.errorText)")
        return output
    }

    /// The same of a command that knows no database.
    func administer(_ command: [String], _ arguments: String...) throws {
        let output = try Subprocess.run(
            Executables.secureStore,
            command + arguments + ["--state", first("state")]
        )
        try #require(output.status == 0, "\(command): \(output.errorText)")
    }

    /// Asks a server for the key, as the device.
    func ask(_ server: TestServer) throws -> TestServer.Answer {
        try TestServer.curl([
            "--cert", first("kiosk/cert.pem"), "--key", first("kiosk/key.pem"),
            "--cacert", first("kiosk/ca.pem"), "-d", TestServer.unlock("k"),
            "\(server.url)/v1/unlock",
        ])
    }

    /// Asks a server for the key without end; prints each answer's status and Retry-After.
    func load(_ server: TestServer) throws -> Subprocess {
        let script = """
            import ssl,http.client,threading,time
            c=ssl.create_default_context(cafile='\(first("kiosk/ca.pem"))')
            c.load_cert_chain('\(first("kiosk/cert.pem"))','\(first("kiosk/key.pem"))')
            def ask():
                h=http.client.HTTPSConnection('127.0.0.1',\(server.port),context=c)
                while True:
                    try:
                        h.request('POST','/v1/unlock','\(TestServer.unlock("k"))'); r=h.getresponse(); b=r.read()
                        print('%d %s\\n'%(r.status,r.headers['Retry-After']),end='',flush=True)
                        if r.status!=200: time.sleep(0.05)
                    except Exception: h.close(); time.sleep(0.05)
            [threading.Thread(target=ask).start() for _ in range(4)]
            """
        return try Subprocess.start("python3", ["-c", script])
    }
}
