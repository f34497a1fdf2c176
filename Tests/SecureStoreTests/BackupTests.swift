import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"), .tool("sqlite3"))) struct `A backup` {
    @Test func `taken while the server answers is whole, and starts a server like it`() throws {
        let server = try TestServer()
        try server.administer("policy", "set", "--all", "--max-releases", "1000")
        // Requests all the while, each of which writes.
        let load = try Subprocess.start(
            "sh",
            [
                "-c", #"while :; do curl -s -o "$0" "$@" || exit 1; done"#, "/dev/null",
            ] + server.credentials + ["\(server.url)/key"]
        )
        let copies = (0..<3).map { server.directory("copy\($0).db") }
        for copy in copies {
            #expect(try server.administer("operator", "backup", copy).status == 0)
            let mode = try Subprocess.run("stat", ["-c", "%a", copy]).text
            #expect(mode == "600\n")
        }
        #expect(load.status == nil, "the server stopped answering")
        load.signal(SIGKILL)
        try server.administer("device", "revoke", "kiosk")
        // A second directory: the same authority, and the copy.
        let other = try TemporaryDirectory()
        for folder in ["state", "kiosk"] {
            // The running server's socket is among the files.
            let copied = try Subprocess.run("cp", ["-a", server.directory(folder), other(folder)])
            try #require(copied.status == 0, "\(copied.errorText)")
        }
        let copy = try #require(copies.last)
        let restore = {
            try Subprocess.run(
                Executables.secureStore,
                ["operator", "restore", copy, "--state", other("state")]
            )
        }
        #expect(try restore().status == 73, "over a store that is there")
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: other("state/store.db\(suffix)"))
        }
        let output = try restore()
        try #require(output.status == 0, "\(output.errorText)")
        let second = try TestServer(in: other)
        // As it was then: the later revocation is not in it, which the manual says.
        #expect(try second.get("/key").status == 201)
        #expect(try second.administer("policy", "list").text == "all  releases 1000\n")
        let acts = try second.audit().compactMap { $0["act"] as? String }
        #expect(acts.contains("operator.backup"))
        #expect(acts.contains("operator.restore"))
        #expect(try second.administer("audit", "verify").status == 0)
    }

    @Test func `that was altered is not restored`() throws {
        let server = try TestServer()
        #expect(try server.get("/key").status == 201)
        let copy = server.directory("copy.db")
        try server.administer("operator", "backup", copy)
        let before = try server.directory.read("copy.db")
        let restore = { (file: String) in
            try Subprocess.run(
                Executables.secureStore,
                ["operator", "restore", file, "--state", server.directory("fresh")]
            )
        }
        let change = "UPDATE audit SET entry = replace(entry, 'kiosk', 'other') WHERE number = 2"
        #expect(try Subprocess.run("sqlite3", [copy, change]).status == 0)
        let output = try restore(copy)
        #expect(output.status == 65)
        #expect(output.errorText.contains("entry 2"))
        for file in [try server.directory.write("no database", to: "text"), "/nowhere"] {
            #expect(try restore(file).status == 74)
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: server.directory("fresh")).isEmpty
        )
        try server.directory.write(before, to: "copy.db")
        #expect(try restore(copy).status == 0, "the control")
    }

    @Test func `is not written over a file`() throws {
        let server = try TestServer()
        let file = try server.directory.write("mine", to: "file")
        #expect(try server.administer("operator", "backup", file).status == 73)
        #expect(try server.directory.read("file") == Array("mine".utf8))
    }
}
