import Foundation
import TestSupport
import Testing

@Suite(.requires(.root, .executables, .tool("openssl"), .tool("python3")))
struct `A key fetched over the network` {
    private let show = ["-env-only", "sh", "-c", "printf %s \"$TESTVAR\""]
    private let variable = ["ENCRYPTED_TESTVAR": Sample.value]

    @Test func `comes from a server that is started after the device`() throws {
        let server = try KeyServerStub()
        let process = try InitProcess(server.flags + show, environment: variable)
        try process.process.waitForOutput(containing: "waiting for the key")
        try server.start()
        let output = try process.process.wait()
        #expect(output.text == Sample.plaintext)
        server.stop()
    }

    @Test func `comes with credentials from variables, which go no further`() throws {
        let server = try KeyServerStub()
        try server.start()
        let process = try InitProcess(
            [
                "--key-source", "https://localhost:\(server.port)", "--env-only", "sh", "-c",
                "env; sleep 60",
            ],
            environment: variable.merging(try server.variables()) { $1 }
        )
        try process.process.waitForOutput(containing: "TESTVAR=\(Sample.plaintext)")
        #expect(!process.process.text.contains("MTLS"))
        let variables = try server.variables()
        let pem = String(decoding: try server.directory.read("key.pem"), as: UTF8.self)
        let needles = [
            Array(Sample.password.utf8), Array((variables["MTLS_KEY"] ?? "").utf8),
            Array(pem.split(separator: "\n")[1].utf8),
        ]
        #expect(needles.allSatisfy { $0.count > 40 })
        for pid in [try process.pid, try process.command(named: "sh")] {
            #expect(try MemoryScan.find(needles, in: pid).isEmpty)
        }
        // The control: the server has the key in its memory, and the scan sees it.
        try process.signal(SIGTERM)
        try process.process.wait()
        server.stop()
    }

    @Test func `is fetched by nobody in particular, who holds nothing`() throws {
        let server = try KeyServerStub()
        let process = try InitProcess(server.flags + show, environment: variable)
        try process.process.waitForOutput(containing: "waiting for the key")
        let fetcher = try process.command(named: "secure-init-key")
        #expect(ProcessTree.status("Uid", of: fetcher) == "64201\t64201\t64201\t64201")
        #expect(ProcessTree.status("Gid", of: fetcher) == "64201\t64201\t64201\t64201")
        #expect(ProcessTree.status("Groups", of: fetcher) == "")
        for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
            #expect(ProcessTree.status(set, of: fetcher) == "0000000000000000")
        }
        #expect(ProcessTree.status("NoNewPrivs", of: fetcher) == "1")
        #expect(ProcessTree.bytes("/proc/\(fetcher)/environ").isEmpty)
        let descriptors = try FileManager.default.contentsOfDirectory(
            atPath: "/proc/\(fetcher)/fd"
        )
        // Null, null, standard error, the pipe; at times a socket of an attempt.
        #expect(Set(descriptors).isSubset(of: ["0", "1", "2", "3", "4", "5", "6"]))
        try process.signal(SIGTERM)
        #expect(try process.process.wait().status == 143)
        #expect(!ProcessTree.exists(fetcher))
    }

    @Test func `is fetched again by another when the fetcher is killed`() throws {
        let server = try KeyServerStub()
        let process = try InitProcess(server.flags + show, environment: variable)
        try process.process.waitForOutput(containing: "waiting for the key")
        kill(try process.command(named: "secure-init-key"), SIGKILL)
        try process.process.waitForOutput(containing: "the fetcher ended unexpectedly")
        try server.start()
        #expect(try process.process.wait().text == Sample.plaintext)
        server.stop()
    }

    @Test func `that is refused for good ends with 77`() throws {
        let server = try KeyServerStub()
        try server.start(answering: 403)
        let output = try InitProcess.run(server.flags + show, environment: variable)
        #expect(output.status == 77)
        #expect(output.errorText.contains("the key server refuses"))
        server.stop()
    }

    @Test func `that does not come in time ends with 69 and the last cause`() throws {
        let server = try KeyServerStub()
        let output = try InitProcess.run(
            server.flags + ["--key-timeout", "1s"] + show,
            environment: variable
        )
        #expect(output.status == 69)
        #expect(output.errorText.contains("no key after 1 s: localhost:\(server.port)"))
    }

    @Test func `cannot be asked for without credentials`() throws {
        let empty = try TemporaryDirectory()
        let output = try InitProcess.run(
            ["-decrypt", "-env-only", "true"],
            environment: variable,
            directory: empty.path
        )
        #expect(output.status == 78)
        #expect(output.errorText.contains("MTLS_CERT"))
        let garbled = try InitProcess.run(
            ["-decrypt", "-env-only", "true"],
            environment: ["MTLS_CERT": "***", "MTLS_KEY": "***"]
        )
        #expect(garbled.status == 78)
        #expect(garbled.errorText.contains("MTLS_CERT: not base64"))
    }

    @Test func `that never comes does not hold up a TERM`() throws {
        // An address that answers nothing: the connection is neither made nor refused.
        let server = try KeyServerStub()
        let listener = try Subprocess.start(
            "python3",
            [
                "-c",
                "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',\(server.port))); "
                    + "s.listen(); print('listening', flush=True); time.sleep(600)",
            ]
        )
        try listener.waitForOutput(containing: "listening")
        let process = try InitProcess(server.flags + show, environment: variable)
        let fetcher = try process.command(named: "secure-init-key")
        usleep(300_000)
        let pid = try process.pid
        kill(pid, SIGTERM)
        // Sooner than the attempt would end by itself: a handshake may take 10 s.
        #expect(try process.process.wait(timeout: 8).status == 143)
        #expect(!ProcessTree.exists(fetcher))
        listener.signal(SIGKILL)
    }
}
