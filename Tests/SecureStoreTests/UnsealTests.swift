import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"), .tool("python3"))) struct `A server sealed by shares`
{
    private let directory: TemporaryDirectory
    private let shares: [String]

    init() throws {
        directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        let initialize = ["operator", "init", "--shares", "3", "--threshold", "2"]
        shares = try TestServer.succeed(directory, initialize).split(separator: "\n")
            .map(String.init)
        try #require(shares.count == 3)
        let both = try directory.write("\(shares[0])\n\n\(shares[2])\n", to: "two")
        try directory.write("db-sentinel-x", to: "db")
        let new = ["key", "new", "default", "--from", directory("db"), "--share-file", both]
        try TestServer.succeed(directory, new)
        try TestServer.succeed(directory, ["grant", "add", "default", "--all"])
    }

    private func administer(
        _ arguments: String...,
        input: String = ""
    ) throws -> Subprocess.Output {
        try TestServer.administer(directory, arguments, input: input)
    }

    /// Runs the tool without a server's state; gives the line it prints.
    private func administerNothing(_ arguments: String...) throws -> String {
        let output = try Subprocess.run(
            Executables.secureStore,
            arguments,
            standardInput: Array("started".utf8)
        )
        try #require(output.status == 0, "\(output.errorText)")
        return output.text.trimmingCharacters(in: .newlines)
    }

    private func unseal(_ share: String) throws -> Subprocess.Output {
        try administer("operator", "unseal", "--share-file", "-", input: share)
    }

    private func serve(_ more: [String] = []) throws -> TestServer {
        try TestServer(more, environment: ["STORE_PASSWORD": ""], in: directory)
    }

    private func readiness(of server: TestServer) throws -> TestServer.Answer {
        try TestServer.curl(["http://127.0.0.1:\(server.adminPort)/readyz"])
    }

    private func unlock(_ server: TestServer, _ more: [String] = []) throws -> TestServer.Answer {
        try server.get("/v1/unlock", more + ["-d", TestServer.unlock("default")])
    }

    @Test func `starts, waits for enough of them, and forgets its keys when it is told to`() throws
    {
        let server = try serve()
        #expect(server.log.contains("are sealed"))
        let before = try readiness(of: server)
        #expect(before.status == 503)
        #expect(before.body.contains(#""code":"sealed""#))
        let refused = try unlock(server, ["-i"])
        #expect(refused.status == 503)
        #expect(refused.body.contains(#""code":"sealed""#))
        #expect(refused.body.lowercased().contains("retry-after: "))
        // A device waits meanwhile.
        let value = try administerNothing("env", "encrypt", "X", "--key-file", directory("db"))
            .split(separator: "=", maxSplits: 1).map(String.init)
        let device = try Subprocess.start(
            Executables.secureInit,
            [
                "--env-only", "--key-source", server.url, "--cert",
                directory("kiosk/cert.pem"), "--key", directory("kiosk/key.pem"), "--ca",
                directory("kiosk/ca.pem"), "--key-timeout", "90s", "--", "sh", "-c", "echo $X",
            ],
            environment: ["PATH": "/usr/bin:/bin", value[0]: value[1]]
        )
        #expect(waitUntil(timeout: 20) { server.log.count(of: "code=sealed") >= 2 })
        #expect(device.status == nil)

        #expect(try unseal(shares[1]).text.contains("1 of 2 shares"))
        #expect(try administer("operator", "status").text.contains("1 of 2 shares"))
        #expect(try unlock(server).status == 503, "one is not enough")
        let twice = try unseal(shares[1])
        #expect(twice.status == 65)
        #expect(twice.errorText.contains("share 2 has been given already"))
        let mistyped = try unseal(shares[0].replacing("-1-2-", with: "-3-2-"))
        #expect(mistyped.status == 65)
        #expect(mistyped.errorText.contains("mistyped"))
        #expect(try unseal(shares[2]).text == "the store is open\n")
        #expect(try readiness(of: server).status == 200)
        #expect(try unlock(server).body.contains("db-sentinel-x"))
        #expect(try device.wait(timeout: 90).text == "started\n", "\(device.errorText)")

        #expect(try administer("operator", "seal").status == 0)
        #expect(try unlock(server).status == 503)
        #expect(try readiness(of: server).status == 503)
        #expect(try unseal(shares[0]).status == 0)
        let reset = try administer("operator", "unseal", "--reset")
        #expect(reset.text.contains("0 of 2 shares"))
        let acts = try server.audit().compactMap { $0["act"] as? String }
        for act in ["operator.init", "operator.share", "operator.unseal", "operator.seal"] {
            #expect(acts.contains(act), "\(act)")
        }
        let log = try server.stop().errorText
        for share in shares { #expect(!log.contains(share.split(separator: "-")[5])) }
    }

    @Test func `forgets shares after a time`() throws {
        let server = try serve(["--unseal-within", "1s"])
        #expect(try unseal(shares[0]).text.contains("1 of 2"))
        #expect(waitUntil(timeout: 30) { server.log.contains("are forgotten") })
        #expect(try administer("operator", "status").text.contains("0 of 2"))
        #expect(try unseal(shares[1]).text.contains("1 of 2"), "the first no longer counts")
    }

    @Test func `is unsealed for itself alone, and again after it was killed`() throws {
        let first = try serve()
        for share in shares.prefix(2) { #expect(try unseal(share).status == 0) }
        #expect(try unlock(first).status == 200)
        first.process.signal(SIGKILL)
        _ = try first.process.wait()
        // Its socket is still there, and makes way.
        let second = try serve()
        #expect(try unlock(second).status == 503)
        for share in shares.suffix(2) { #expect(try unseal(share).status == 0) }
        #expect(try unlock(second).status == 200)
        // Another server on the same directory is another's to unseal; it takes no socket away.
        let third = try serve()
        #expect(third.log.contains("No operator can be answered"))
        #expect(try unlock(third).status == 503)
        #expect(try administer("operator", "status").text == "the store is open\n")
        _ = try second.stop()
        let none = try unseal(shares[0])
        #expect(none.status == 69)
        #expect(none.errorText.contains("no server can be asked"))
    }

    @Test func `has other shares after a rekey, and a root key after another`() throws {
        let server = try serve()
        for share in shares.prefix(2) { #expect(try unseal(share).status == 0) }
        let two = directory("two")
        let rekey = try server.administer([
            "operator", "rekey", "--share-file", two, "--shares", "5", "--threshold", "3",
            "--shares-out", directory("new"),
        ])
        #expect(rekey.status == 0, "\(rekey.errorText)")
        #expect(rekey.text.isEmpty)
        #expect(try unlock(server).status == 200, "a running server goes on")
        #expect(try administer("operator", "seal").status == 0)
        let old = try unseal(shares[0])
        #expect(old.status == 65)
        #expect(old.errorText.contains("which was replaced on"))
        let mode = try Subprocess.run("stat", ["-c", "%a", directory("new/share-4")]).text
        #expect(mode == "600\n")
        for number in [5, 2, 4] {
            let file = directory("new/share-\(number)")
            #expect(try administer("operator", "unseal", "--share-file", file).status == 0)
        }
        #expect(try unlock(server).status == 200)
        // The key itself needs as many people.
        let files = [1, 2, 3].flatMap { ["--share-file", directory("new/share-\($0)")] }
        let export = ["key", "export", "default"]
        #expect(try server.administer(export + files).text.contains("db-sentinel-x"))
        let few = try server.administer(export + files.prefix(4))
        #expect(few.status == 65)
        #expect(few.errorText.contains("2 of the 3 shares"))
        let root = try directory.write("a new passphrase", to: "root")
        let plain = try server.administer(
            ["operator", "rekey", "--new-root-key-file", root] + files
        )
        #expect(plain.status == 0, "\(plain.errorText)")
        #expect(try administer("operator", "seal").text.contains("wants its root key"))
        let wrong = try directory.write("wrong", to: "wrong")
        #expect(try administer("operator", "unseal", "--root-key-file", wrong).status == 65)
        #expect(try unlock(server).status == 503)
        #expect(try administer("operator", "unseal", "--root-key-file", root).status == 0)
        #expect(try unlock(server).status == 200)
    }

    @Test func `understands nothing else over its socket, and nobody else`() throws {
        let server = try serve()
        let socket = directory("state/operator.sock")
        let mode = try Subprocess.run("stat", ["-c", "%a %F", socket]).text
        #expect(mode == "600 socket\n")
        let script = """
            import socket,sys
            for m in [b'', b'x', b'share\\n', b'seal\\nx', b'open\\n', b'root\\n\\n', b'\\0'*8192,
                      b'share\\n'+b'a'*8000, b'share\\n'+b'\\xff'*90, b'root\\n'+b'a'*100000]:
                s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); s.settimeout(60)
                s.connect(sys.argv[1])
                if m: s.send(m)
                else: s.shutdown(socket.SHUT_WR)
                assert s.recv(4096).startswith(b'refused\\n'), m
            s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); s.connect(sys.argv[1]); s.send(b'status\\n')
            assert s.recv(4096).startswith(b'ok\\n')
            """
        let peer = try Subprocess.run("python3", ["-c", script, socket])
        #expect(peer.status == 0, "\(peer.errorText)")
        #expect(try readiness(of: server).status == 503)
    }

    @Test(.requires(.root, .tool("setpriv"))) func `answers its owner and root only`() throws {
        let server = try serve()
        let script = """
            import socket,sys
            s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET); s.connect(sys.argv[1])
            s.send(b'status\\n'); print(s.recv(4096).decode())
            """
        // Somebody whom the modes let in all the same.
        for path in ["", "state", "state/operator.sock"] {
            _ = try Subprocess.run("chmod", ["0777", directory(path)])
        }
        let ask = ["/usr/bin/python3", "-c", script, directory("state/operator.sock")]
        let other = try Subprocess.run(
            "setpriv",
            ["--reuid=4711", "--regid=4711", "--clear-groups"] + ask
        )
        #expect(other.text.hasPrefix("refused"), "\(other.errorText)")
        #expect(other.text.contains("not its operator"))
        #expect(server.log.contains("Somebody else asked"))
        #expect(try Subprocess.run(ask[0], Array(ask.dropFirst())).text.hasPrefix("ok"))
    }

    @Test(.requires(.root, .tool("unshare"), .tool("nsenter")))
    func `takes no share that a full disk cannot record, and forgets none for it`() throws {
        // A small file system of the server's own, in its own mount namespace.
        let script =
            "cp -a \"$0\" \"$0.copy\" && mount -t tmpfs -o size=2m,mode=700 none \"$0\" && "
            + "cp -a \"$0.copy/.\" \"$0\" && exec \"$@\""
        let server = try TestServer(
            environment: ["STORE_PASSWORD": ""],
            in: directory,
            launcher: ["unshare", "--mount", "sh", "-c", script, directory("state")]
        )
        let filler = directory("state/filler")
        func inside(_ command: [String], input: String = "") throws -> Subprocess.Output {
            try Subprocess.run(
                "nsenter",
                ["-t", "\(server.process.pid)", "-m"] + command,
                standardInput: Array(input.utf8)
            )
        }
        func tool(_ arguments: String..., input: String = "") throws -> Subprocess.Output {
            try inside(
                [Executables.secureStore] + arguments + ["--state", directory("state")],
                input: input
            )
        }
        func give(_ share: String) throws -> Subprocess.Output {
            try tool("operator", "unseal", "--share-file", "-", input: share)
        }
        func fill() throws { _ = try inside(["dd", "if=/dev/zero", "of=\(filler)", "bs=4k"]) }
        func free() throws { _ = try inside(["rm", filler]) }

        try fill()
        // What the database has allocated before it can still fill: with refused shares.
        let foreign = shares[0].replacing("-1-2-", with: "-3-2-")
        var refused = try give(foreign)
        for _ in 0..<500 where !refused.errorText.contains("full") { refused = try give(foreign) }
        #expect(refused.errorText.contains("the disk is full"), "\(refused.errorText)")
        let first = try give(shares[0])
        #expect(first.status != 0)
        #expect(first.errorText.contains("the disk is full"), "\(first.errorText)")
        #expect(try tool("operator", "status").text.contains("0 of 2 shares"))
        try free()
        #expect(try give(shares[0]).text.contains("1 of 2 shares"))
        try fill()
        var last = try give(foreign)
        for _ in 0..<500 where !last.errorText.contains("full") { last = try give(foreign) }
        last = try give(shares[2])
        #expect(last.status != 0 && last.errorText.contains("the disk is full"))
        #expect(try tool("operator", "status").text.contains("1 of 2 shares"), "the first stays")
        #expect(try unlock(server).status == 503)
        try free()
        #expect(try give(shares[2]).text == "the store is open\n")
        #expect(try unlock(server).body.contains("db-sentinel-x"))
        let verify = try tool("audit", "verify")
        #expect(verify.status == 0, "\(verify.errorText)")
        let log = try server.stop().errorText
        for share in shares { #expect(!log.contains(share.split(separator: "-")[5])) }
    }

    @Test func `leaves no share in its files`() throws {
        let server = try serve()
        for share in shares.prefix(2) { #expect(try unseal(share).status == 0) }
        #expect(try unlock(server).status == 200)
        _ = try server.stop()
        var searched = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: directory("state")) {
            guard let contents = try? Data(directory.read("state/\(name)")) else { continue }
            searched += contents.count
            #expect(contents.firstRange(of: Data("db-sentinel-x".utf8)) == nil, "\(name)")
            for share in shares {
                let groups = share.split(separator: "-")[4..<12]
                let bytes = groups.joined().hexadecimal
                #expect(contents.firstRange(of: bytes) == nil, "\(name)")
                // A part is enough to fail: it is text in a log, or half of a page.
                for group in groups {
                    #expect(contents.firstRange(of: Data(group.utf8)) == nil, "\(name)")
                }
            }
        }
        let set = try #require(shares[0].split(separator: "-").dropFirst().first)
        let files = try ["store.db", "store.db-wal"].filter {
            FileManager.default.fileExists(atPath: directory("state/\($0)"))
        }.map { Data(try directory.read("state/\($0)")) }
        #expect(files.contains { $0.firstRange(of: Data(set.utf8)) != nil }, "the control")
        #expect(searched > 50_000)
    }
}

extension String {
    fileprivate func count(of text: String) -> Int { components(separatedBy: text).count - 1 }

    /// The bytes that the digits stand for.
    fileprivate var hexadecimal: Data {
        Data(
            stride(from: 0, to: utf8.count, by: 2).compactMap { place in
                UInt8(dropFirst(place).prefix(2), radix: 16)
            }
        )
    }
}
