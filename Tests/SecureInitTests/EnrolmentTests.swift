import Foundation
import TestSupport
import Testing

/// A real key server, `secure-store serve --enroll`, that a test can stop and start.
private final class EnrolmentServer {
    let directory: TemporaryDirectory
    let port: UInt16
    private var process: Subprocess?

    init() throws {
        directory = try TemporaryDirectory()
        port = try FreePort.any()
        // The device's fetcher runs as nobody in particular; what it needs, it is handed.
        try run("ca", "init", "--hostname", "127.0.0.1")
        try start()
    }

    func start() throws {
        let process = try Subprocess.start(
            Executables.secureStore,
            [
                "serve", "--state", directory("state"), "--listen", "127.0.0.1:\(port)",
                "--admin-listen", "none", "--enroll",
            ],
            environment: ["PATH": "/usr/bin:/bin", "STORE_PASSWORD": Sample.password]
        )
        self.process = process
        try process.waitForOutput(containing: "Listening for devices")
    }

    func stop() throws {
        process?.signal(SIGTERM)
        _ = try process?.wait()
    }

    @discardableResult
    func run(_ arguments: String...) throws -> String {
        let output = try Subprocess.run(
            Executables.secureStore,
            arguments + ["--state", directory("state")]
        )
        try #require(output.status == 0, "\(output.errorText)")
        return output.text
    }

    /// A token's text.
    func token(_ arguments: String...) throws -> String {
        let output = try Subprocess.run(
            Executables.secureStore,
            ["device", "enroll-token", "new", "--state", directory("state")] + arguments
        )
        try #require(output.status == 0, "\(output.errorText)")
        return output.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    var log: String { process?.errorText ?? "" }
}

@Suite(.requires(.root, .executables, .tool("openssl")))
struct `A device that enrols itself` {
    private let show = ["--env-only", "--", "sh", "-c", "printf %s \"$TESTVAR\"; env >&2"]
    private let variable = ["ENCRYPTED_TESTVAR": Sample.value]

    private func start(
        _ server: EnrolmentServer,
        _ arguments: [String] = [],
        token: String? = nil
    ) throws -> InitProcess {
        var environment = variable
        environment["STORE_ENROLL_TOKEN"] = token
        return try InitProcess(
            [
                "--key-source", "https://127.0.0.1:\(server.port)", "--credentials",
                server.directory("credentials/device"),
            ] + arguments + show,
            environment: environment
        )
    }

    @Test func `has its key certified at its first start, and needs no token at the next`() throws {
        let server = try EnrolmentServer()
        let token = try server.token("pi-{key}")
        let first = try start(server, token: token).process.wait()
        #expect(first.text == Sample.plaintext, "\(first.errorText)")
        #expect(first.errorText.contains("certificate obtained"))
        #expect(!first.errorText.contains("sse1_") && !first.errorText.contains("STORE_ENROLL"))
        let place = server.directory("credentials/device")
        let modes = try Subprocess.run(
            "stat",
            ["-c", "%a", place, "\(place)/key.pem", "\(place)/cert.pem", "\(place)/ca.pem"]
        ).text
        #expect(modes == "700\n600\n600\n600\n")
        let second = try start(server).process.wait()
        #expect(second.text == Sample.plaintext, "\(second.errorText)")
        #expect(!second.errorText.contains("certificate obtained"))
        #expect(try server.run("device", "list").split(separator: "\n").count == 1)
    }

    @Test func `waits for its server, and takes its token from a file as well`() throws {
        let server = try EnrolmentServer()
        let file = try server.directory.write(try server.token("pi"), to: "token")
        try server.stop()
        let device = try start(server, ["--enroll-token-file", file])
        try device.process.waitForOutput(containing: "refuses connections")
        try server.start()
        #expect(try device.process.wait().text == Sample.plaintext)
    }

    @Test func `goes on with its key whatever it was cut off at`() throws {
        let server = try EnrolmentServer()
        let token = try server.token("pi")
        #expect(try start(server, token: token).process.wait().status == 0)
        let place = "credentials/device"
        let key = try server.directory.read("\(place)/key.pem")
        let certificate = try server.directory.read("\(place)/cert.pem")
        // What is on the disk when it is killed: before the answer, between its files, while one is
        // written. The server has given the certificate in each case, and the token is used up.
        for remains in [["cert.pem", "ca.pem"], ["cert.pem"]] {
            for name in remains {
                try FileManager.default.removeItem(atPath: server.directory("\(place)/\(name)"))
            }
            try server.directory.write("half", to: "\(place)/cert.pem.new")
            let again = try start(server, token: token).process.wait()
            #expect(again.text == Sample.plaintext, "\(again.errorText)")
            #expect(try server.directory.read("\(place)/key.pem") == key)
            #expect(try server.directory.read("\(place)/cert.pem") == certificate)
            #expect(
                !FileManager.default.fileExists(atPath: server.directory("\(place)/cert.pem.new"))
            )
        }
        // Another device has nothing of the token.
        try FileManager.default.removeItem(atPath: server.directory(place))
        let thief = try start(server, token: token).process.wait()
        #expect(thief.status == 77)
        #expect(thief.errorText.contains("token_used"), "\(thief.errorText)")
    }

    @Test func `is killed in the middle again and again, and is one device in the end`() throws {
        let server = try EnrolmentServer()
        let token = try server.token("pi")
        for line in ["asking for a certificate", "certificate obtained", "asking for the key"] {
            let device = try start(server, token: token)
            _ = try? device.process.waitForOutput(containing: line)
            try? device.signal(SIGKILL)
            _ = try? device.process.wait()
        }
        #expect(try start(server, token: token).process.wait().text == Sample.plaintext)
        #expect(try server.run("device", "list").split(separator: "\n").count == 1)
    }

    @Test func `renews its certificate when two thirds of its time are over`() throws {
        let server = try EnrolmentServer()
        let token = try server.token("pi", "--days", "1")
        #expect(try start(server, token: token).process.wait().status == 0)
        let file = "credentials/device/cert.pem"
        let fresh = try server.directory.read(file)
        // It is from yesterday on, and until tomorrow: half of its time is over. Not yet.
        #expect(try start(server).process.wait().status == 0)
        #expect(try server.directory.read(file) == fresh)
        // One of the same key and name that is older: the authority is here, and so is openssl.
        try age(fresh, of: server)
        let old = try server.directory.read(file)
        let renewing = try start(server).process.wait()
        #expect(renewing.text == Sample.plaintext)
        #expect(renewing.errorText.contains("certificate renewed"), "\(renewing.errorText)")
        #expect(try server.directory.read(file) != old)
        let next = try start(server).process.wait()
        #expect(next.text == Sample.plaintext)
        #expect(!next.errorText.contains("certificate renewed"), "\(next.errorText)")
        // Where it cannot be kept, the present one goes on.
        try server.directory.write(old, to: file)
        let place = server.directory("credentials/device")
        let readOnly = try Subprocess.run("mount", ["--bind", "-o", "ro", place, place])
        if readOnly.status == 0 {
            defer { _ = try? Subprocess.run("umount", ["-l", place]) }
            let stuck = try start(server).process.wait()
            #expect(stuck.text == Sample.plaintext)
            #expect(stuck.errorText.contains("cannot be kept"), "\(stuck.errorText)")
        }
    }

    /// Puts a certificate in place that is like the device's, made longer ago, and known to the store.
    private func age(_ certificate: [UInt8], of server: EnrolmentServer) throws {
        let d = server.directory
        let (from, to) = (Self.day(-9), Self.day(1))
        try d.write("", to: "index.txt")
        try d.write("51\n", to: "serial")
        try d.write(
            """
            [ca]
            default_ca=d
            [d]
            database=\(d("index.txt"))
            serial=\(d("serial"))
            new_certs_dir=\(d.path)
            default_md=sha256
            policy=p
            x509_extensions=e
            [p]
            commonName=supplied
            [e]
            basicConstraints=critical,CA:FALSE
            keyUsage=critical,digitalSignature
            extendedKeyUsage=clientAuth
            subjectAltName=DNS:pi
            [req]
            distinguished_name=n
            [n]
            """,
            to: "ca.cnf"
        )
        let place = d("credentials/device")
        for arguments in [
            [
                "req", "-new", "-key", "\(place)/key.pem", "-subj", "/CN=pi", "-config",
                d("ca.cnf"),
                "-out", d("csr"),
            ],
            [
                "ca", "-batch", "-notext", "-config", d("ca.cnf"), "-cert", d("state/ca.pem"),
                "-keyfile", d("state/ca-key.pem"), "-in", d("csr"), "-out",
                "\(place)/cert.pem", "-startdate", from, "-enddate", to,
            ],
        ] {
            let output = try Subprocess.run("openssl", arguments)
            try #require(output.status == 0, "\(output.errorText)")
        }
        let der = try Subprocess.run(
            "openssl",
            ["x509", "-in", "\(place)/cert.pem", "-outform", "DER", "-out", d("der")]
        )
        try #require(der.status == 0)
        let digest = try Subprocess.run("sha256sum", [d("der")]).text.prefix(64)
        let sql = """
            import sqlite3,sys
            c=sqlite3.connect('\(d("state/store.db"))')
            c.execute('PRAGMA busy_timeout=10000')
            pem=open('\(place)/cert.pem').read()
            now=c.execute('SELECT issued_at FROM certificates').fetchone()[0]
            c.execute('INSERT INTO certificates SELECT ?,device,?,?,?,NULL FROM certificates LIMIT 1',
                ('\(digest)',pem,now-9*86400000,now+86400000))
            c.commit()
            """
        let output = try Subprocess.run("python3", ["-c", sql])
        try #require(output.status == 0, "\(output.errorText)")
    }

    /// A moment so many days from now, as `openssl ca` takes it.
    private static func day(_ days: Int) -> String {
        let formatter = DateFormatter()
        formatter.dateFormat = "yyyyMMddHHmmss'Z'"
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.locale = Locale(identifier: "en_US_POSIX")
        return formatter.string(from: Date(timeIntervalSinceNow: Double(days) * 86_400))
    }
}
