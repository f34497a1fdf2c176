import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("curl"), .tool("haproxy"), .tool("python3")))
struct `Behind a proxy` {
    /// HAProxy, which passes connections on and says in a PROXY header where they come from.
    private func proxy(
        to server: TestServer,
        option: String
    ) throws -> (process: Subprocess, port: String) {
        // It takes no port of the kernel's choice, but a socket that has one.
        let listener = try Listener()
        let configuration = try server.directory.write(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 20s
                timeout server 20s
            listen key-server
                bind fd@3
                server one 127.0.0.1:\(server.port) \(option)

            """,
            to: "haproxy.cfg"
        )
        let process = try Subprocess.start(
            "haproxy",
            ["-db", "-f", configuration],
            descriptors: [3: listener.descriptor]
        )
        return (process, "\(listener.port)")
    }

    private func ask(
        _ server: TestServer,
        port: String,
        from address: String
    ) throws
        -> TestServer.Answer
    {
        try TestServer.curl(
            server.credentials + ["--interface", address, "https://127.0.0.1:\(port)/key"]
        )
    }

    @Test(arguments: ["send-proxy", "send-proxy-v2"])
    func `that is listed, a device's own address counts`(option: String) throws {
        let server = try TestServer(["--proxy", "127.0.0.1", "--allow", "127.0.0.2"])
        let proxy = try proxy(to: server, option: option)
        #expect(try ask(server, port: proxy.port, from: "127.0.0.2").status == 201)
        let denied = try ask(server, port: proxy.port, from: "127.0.0.3")
        #expect(denied.status == 403)
        #expect(
            try server.audit().map { $0["address"] as? String }.suffix(2) == [
                "127.0.0.2", "127.0.0.3",
            ]
        )
        withExtendedLifetime(proxy) {}
    }

    @Test(arguments: ["send-proxy", "send-proxy-v2"])
    func `that is not listed, nobody is believed and nothing is given out`(
        option: String
    ) throws {
        let server = try TestServer(["--proxy", "127.0.0.9", "--allow", "127.0.0.2"])
        let proxy = try proxy(to: server, option: option)
        let answer = try ask(server, port: proxy.port, from: "127.0.0.2")
        #expect(answer.status == 0)
        #expect(answer.exit != 0)
        // The proxy may have heard of it before it is written.
        try server.process.waitForOutput(containing: "Connection refused")
        #expect(!server.log.contains("Key released"))
        // The control: who calls directly is served by its own address.
        #expect(try ask(server, port: server.port, from: "127.0.0.2").status == 201)
        withExtendedLifetime(proxy) {}
    }

    @Test func `that says nothing, a connection is closed and named`() throws {
        let server = try TestServer(["--proxy", "127.0.0.1"])
        let answer = try ask(server, port: server.port, from: "127.0.0.1")
        #expect(answer.status == 0)
        try server.process.waitForOutput(containing: "a proxy without a PROXY header")
        #expect(try ask(server, port: server.port, from: "127.0.0.2").status == 201, "the control")
    }

    @Test func `that does not know, the address is unknown and refused`() throws {
        let server = try TestServer(["--proxy", "127.0.0.1"])
        for (header, expected) in [
            (#"b'PROXY UNKNOWN\r\n'"#, "403"),
            (#"b'\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'"#, "403"),
            (#"b'PROXY TCP4 127.0.0.7 127.0.0.1 1 2\r\n'"#, "201"),
        ] {
            let script = """
                import socket,ssl,time
                s=socket.create_connection(('127.0.0.1',\(server.port)))
                h=\(header)
                # In two pieces: a header need not come whole.
                s.sendall(h[:9]); time.sleep(0.05); s.sendall(h[9:])
                c=ssl.create_default_context(cafile='\(server.directory("kiosk/ca.pem"))')
                c.load_cert_chain('\(server.directory("kiosk/cert.pem"))','\(server.directory("kiosk/key.pem"))')
                t=c.wrap_socket(s,server_hostname='127.0.0.1')
                t.sendall(b'GET /key HTTP/1.0\\r\\n\\r\\n')
                print(t.recv(100).split()[1].decode())
                """
            let output = try Subprocess.run("python3", ["-c", script])
            #expect(output.text == "\(expected)\n", "\(header) \(output.errorText)")
        }
        #expect(try server.audit().last?["address"] as? String == "127.0.0.7")
    }

    @Test(arguments: [
        "X-Forwarded-For: 127.0.0.2", "Forwarded: for=127.0.0.2", "X-Real-IP: 127.0.0.2",
    ])
    func `or before one, a header that the device writes counts for nothing`(
        field: String
    ) throws {
        let server = try TestServer(["--allow", "127.0.0.2"])
        #expect(try server.get("/key", ["-H", field]).status == 403)
    }
}

/// A listening socket on a port of the kernel's choice, to be handed on.
private final class Listener {
    let descriptor: Int32
    let port: UInt16

    init() throws {
        let new = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(new, $0, length) | listen(new, 16) | getsockname(new, $0, &length)
            }
        }
        descriptor = new
        port = UInt16(bigEndian: address.sin_port)
        try #require(status == 0)
    }

    deinit { close(descriptor) }
}
