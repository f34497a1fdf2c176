import Foundation
import TestSupport
import Testing

@Suite(
    .requires(.executables, .tool("curl"), .tool("python3"), .tool("sqlite3"))
) struct `The record of releases` {
    @Test func `holds who got what, from where, and who was refused`() throws {
        let server = try TestServer()
        _ = try server.get("/v1/unlock", ["-d", TestServer.unlock("default")])
        _ = try server.get("/v1/unlock", ["-d", TestServer.unlock("other")])
        let entries = try server.audit().filter { $0["act"] as? String == "release" }
        try #require(entries.count == 2)
        for entry in entries {
            #expect(entry["device"] as? String == "kiosk")
            #expect(entry["claimed_device"] as? String == "me")
            #expect(entry["address"] as? String == "127.0.0.1")
        }
        #expect(entries[0]["keys"] as? [String] == ["default"])
        #expect(entries[0]["result"] as? String == "released")
        #expect(entries[1]["result"] as? String == "refused")
        #expect(entries[1]["code"] as? String == "key_not_granted")
        #expect(try !server.administer("audit", "export").text.contains("a1b2c3"))
    }

    @Test func `can be checked by anyone, and shows that it was altered`() throws {
        let server = try TestServer()
        for _ in 0..<3 { _ = try server.get("/key") }
        let good = try server.administer("audit", "verify")
        #expect(good.status == 0)
        let mark = try #require(good.text.split(separator: "\n").last)
        // Checked by what the manual says, with none of our code.
        let script = """
            import json,sys,hashlib
            last=bytes(32); count=0
            for line in sys.stdin:
                r=json.loads(line); last=hashlib.sha256(last+r['entry'].encode()).digest(); count+=1
                assert last.hex()==r['hash'] and json.loads(r['entry'])['number']==count
            print('%d:%s'%(count,last.hex()))
            """
        let peer = try Subprocess.run(
            "python3",
            ["-c", script],
            standardInput: server.administer("audit", "export").standardOutput
        )
        #expect(peer.text == "\(mark)\n", "\(peer.errorText)")
        #expect(try server.administer("audit", "verify", "--expect", "\(mark)").status == 0)
        let sql = "UPDATE audit SET entry = replace(entry, 'released', 'refused')"
        let altered = try Subprocess.run("sqlite3", [server.directory("state/store.db"), sql])
        #expect(altered.status == 0, "\(altered.errorText)")
        let bad = try server.administer("audit", "verify")
        #expect(bad.status == 65)
        #expect(bad.errorText.contains("entry"))
    }

    @Test func `misses nothing when the server is killed in the middle`() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(in: directory)
        let script = """
            import ssl,http.client,threading
            c=ssl.create_default_context(cafile='\(directory("kiosk/ca.pem"))')
            c.load_cert_chain('\(directory("kiosk/cert.pem"))','\(directory("kiosk/key.pem"))')
            def ask():
                h=http.client.HTTPSConnection('127.0.0.1',\(server.port),context=c)
                try:
                    while True:
                        h.request('GET','/key'); r=h.getresponse(); r.read()
                        if r.status==201: print('got',flush=True)
                except Exception: pass
            t=[threading.Thread(target=ask) for _ in range(8)]
            [x.start() for x in t]; [x.join() for x in t]
            """
        let load = try Subprocess.start("python3", ["-c", script])
        #expect(waitUntil(timeout: 30) { load.text.count > 400 })
        server.process.signal(SIGKILL)
        let got = try load.wait().text.split(separator: "\n").count
        let again = try TestServer(in: directory)
        #expect(try again.get("/key").status == 201)
        let released = try again.audit().filter { $0["result"] as? String == "released" }.count
        #expect(released > got, "\(released) recorded, \(got) answered")
        #expect(try again.administer("audit", "verify").status == 0)
        let check = try Subprocess.run(
            "sqlite3",
            [directory("state/store.db"), "PRAGMA integrity_check"]
        )
        #expect(check.text == "ok\n")
    }

    @Test(.requires(.root, .tool("unshare"), .tool("nsenter")))
    func `is kept, or nothing is released, on a disk that fills up`() throws {
        let directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        // A small file system of the server's own, in its own mount namespace.
        let script =
            "cp -a \"$0\" \"$0.copy\" && mount -t tmpfs -o size=2m,mode=700 none \"$0\" && "
            + "cp -a \"$0.copy/.\" \"$0\" && exec \"$@\""
        let server = try TestServer(
            in: directory,
            launcher: ["unshare", "--mount", "sh", "-c", script, directory("state")]
        )
        let inside = ["-t", "\(server.process.pid)", "-m"]
        #expect(try server.get("/key").status == 201)
        let filler = directory("state/filler")
        _ = try Subprocess.run("nsenter", inside + ["dd", "if=/dev/zero", "of=\(filler)", "bs=4k"])
        var answer = try server.get("/key")
        // What the database has allocated before it can still fill.
        for _ in 0..<500 where answer.status == 201 { answer = try server.get("/key") }
        #expect(answer.status == 503)
        #expect(answer.body.contains("unavailable"))
        #expect(!answer.body.contains("sentinel"))
        #expect(server.log.contains("nothing released"))
        _ = try Subprocess.run("nsenter", inside + ["rm", filler])
        #expect(try server.get("/key").status == 201)
        let verify = try Subprocess.run(
            "nsenter",
            inside + [Executables.secureStore, "audit", "verify", "--state", directory("state")]
        )
        #expect(verify.status == 0, "\(verify.errorText)")
    }
}
