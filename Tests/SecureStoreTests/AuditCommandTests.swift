import Foundation
import TestSupport
import Testing

@Suite(
    .requires(.executables, .tool("curl"), .tool("python3"), .tool("openssl"))
) struct `The audit log's signature` {
    private let directory: TemporaryDirectory
    private let server: TestServer

    init() throws {
        directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        try directory.write("a passphrase", to: "root")
        let root = ["--root-key-file", directory("root")]
        try TestServer.succeed(directory, ["operator", "init"] + root)
        server = try TestServer(root, in: directory)
    }

    private func export(_ name: String) throws -> String {
        try directory.write(server.administer("audit", "export").standardOutput, to: name)
    }

    /// Verifies a file where there is no store.
    private func verify(_ file: String, _ more: String...) throws -> Subprocess.Output {
        try Subprocess.run(
            Executables.secureStore,
            ["audit", "verify", file, "--state", "/nowhere"] + more
        )
    }

    @Test func `is checked far from the store, by us and by OpenSSL`() throws {
        _ = try server.get("/key")
        let signed = try server.administer("audit", "checkpoint")
        #expect(signed.text.contains("signed up to entry"), "\(signed.errorText)")
        _ = try server.get("/key")
        let key = try directory.write(server.administer("audit", "key").text, to: "key.pem")
        let file = try export("log.jsonl")
        let good = try verify(file, "--public-key", key)
        #expect(good.status == 0, "\(good.errorText)")
        #expect(good.text.contains("signed up to"))
        #expect(try verify(file).status == 0)
        let mark = try #require(good.text.split(separator: "\n").last)
        #expect(try server.administer("audit", "verify", "--expect", "\(mark)").status == 0)
        // With none of our code.
        let script = """
            import json,sys,base64,subprocess,hashlib
            last=bytes(32); found=0
            for line in open(sys.argv[1]):
                r=json.loads(line); e=json.loads(r['entry'])
                if e['act']=='audit.checkpoint':
                    assert e['through']==e['number']-1 and e['hash']==last.hex()
                    m='secure-store/audit-checkpoint/v1\\n%d\\n%s\\n%s\\n'%(e['through'],e['hash'],e['time'])
                    open(sys.argv[3],'wb').write(base64.b64decode(e['signature']))
                    subprocess.run(['openssl','dgst','-sha256','-verify',sys.argv[2],'-signature',sys.argv[3]],
                        input=m.encode(),check=True); found+=1
                last=hashlib.sha256(last+r['entry'].encode()).digest(); assert last.hex()==r['hash']
            print('found',found)
            """
        let peer = try Subprocess.run(
            "python3",
            ["-c", script, file, key, directory("signature")]
        )
        #expect(peer.status == 0, "\(peer.errorText)")
        let count = try #require(peer.text.firstMatch(of: /found (\d+)/))
        #expect(try #require(Int(count.1)) >= 1)
        // Another store's key checks nothing here.
        let other = try directory.write(
            Subprocess.run(
                "sh",
                ["-c", "openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout"]
            ).text,
            to: "other.pem"
        )
        #expect(try verify(file, "--public-key", other).status == 65)
    }

    @Test func `shows what was changed, taken out or cut in a file`() throws {
        for _ in 0..<3 { _ = try server.get("/key") }
        try server.administer("audit", "checkpoint")
        let key = try directory.write(server.administer("audit", "key").text, to: "key.pem")
        let lines = try String(
            decoding: Data(directory.read(export("log").lastComponent)),
            as: UTF8.self
        )
        .split(separator: "\n").map(String.init)
        try #require(lines.count >= 5)
        func check(_ lines: [String]) throws -> Int32 {
            let file = try directory.write(lines.map { "\($0)\n" }.joined(), to: "changed")
            return try verify(file, "--public-key", key).status
        }
        #expect(try check(lines) == 0, "the control")
        for place in 0..<lines.count - 1 {
            #expect(try check(Array(lines[..<place] + lines[(place + 1)...])) == 65, "\(place)")
            var changed = lines
            changed[place] = changed[place].replacing("time", with: "tame", maxReplacements: 1)
            #expect(try check(changed) == 65, "\(place)")
        }
        #expect(try check(Array(lines.dropFirst(2))) == 65)
        for text in ["", "{}", "{\"entry\":1}", "x", String(repeating: "a", count: 2_000_000)] {
            #expect(try check([text]) != 0, "\(text.prefix(9))")
        }
    }

    @Test func `goes on after the older part was moved into a file`() throws {
        _ = try server.get("/key")
        try server.administer("audit", "checkpoint")
        let key = try directory.write(server.administer("audit", "key").text, to: "key.pem")
        let tomorrow = "2100-01-01"
        let old = directory("old.jsonl")
        let trim = try server.administer("audit", "trim", "--before", tomorrow, "--out", old)
        #expect(trim.status == 0, "\(trim.errorText)")
        #expect(try server.get("/key").status == 201)
        try server.administer("audit", "checkpoint")
        for file in [old, try export("rest.jsonl")] {
            let found = try verify(file, "--public-key", key)
            #expect(found.status == 0, "\(file): \(found.errorText)")
        }
        #expect(try server.administer("audit", "verify", "--public-key", key).status == 0)
        // One after the other they are the whole log.
        let next = directory("next.jsonl")
        let again = try server.administer("audit", "trim", "--before", tomorrow, "--out", next)
        #expect(again.status == 0, "\(again.errorText)")
        let whole = try directory.read("old.jsonl") + directory.read("next.jsonl")
        let file = try directory.write(whole, to: "whole.jsonl")
        #expect(try verify(file, "--public-key", key).status == 0)
        // The rest without what it follows.
        let rest = try directory.read("next.jsonl")
        let start = try #require(rest.firstIndex(of: UInt8(ascii: "\n")))
        let headless = try directory.write(rest[(start + 1)...], to: "headless")
        #expect(try verify(headless, "--public-key", key).status == 65)
        #expect(
            try server.administer("audit", "trim", "--before", "2000-01-01", "--out", "/x").status
                == 64
        )
        // A copy of the store is as good.
        let copy = directory("copy.db")
        #expect(try server.administer("operator", "backup", copy).status == 0)
        let restored = try Subprocess.run(
            Executables.secureStore,
            ["operator", "restore", copy, "--state", directory("fresh")]
        )
        #expect(restored.status == 0, "\(restored.errorText)")
    }

    @Test func `is made by a running server, and without one, and by no sealed one`() throws {
        #expect(
            waitUntil(timeout: 30) {
                (try? server.audit().contains { $0["act"] as? String == "audit.checkpoint" })
                    == true
            }
        )
        #expect(try server.administer("operator", "seal").status == 0)
        _ = try server.get("/key")
        let sealed = try server.administer("audit", "checkpoint")
        #expect(sealed.text.contains("sealed"))
        _ = try server.stop()
        #expect(try server.administer("audit", "checkpoint").status == 69)
        let made = try server.administer(
            "audit",
            "checkpoint",
            "--root-key-file",
            directory("root")
        )
        #expect(made.text.contains("signed up to"), "\(made.errorText)")
        // The private half is nowhere in clear.
        #expect(try server.administer("audit", "verify").text.contains("signed up to"))
    }
}

extension String {
    fileprivate var lastComponent: String { URL(fileURLWithPath: self).lastPathComponent }
}
