import Foundation
import TestSupport

/// A key server of some lines of Python: mutual TLS, and the original's answer.
final class KeyServerStub {
    /// Certificate and key, which client and server share as in the original: `cert.pem`, `key.pem`.
    let directory: TemporaryDirectory
    let port: UInt16

    private var server: Subprocess?

    init() throws {
        directory = try TemporaryDirectory()
        port = try FreePort.any()
        try directory.write(Self.program, to: "server.py")
        _ = try Subprocess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory("key.pem"),
                "-out", directory("cert.pem"), "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost",
            ]
        )
        chmod(directory("key.pem"), 0o600)
    }

    /// Starts to listen.
    ///
    /// - Parameter status: What it answers; the key comes with 201 only.
    /// - Throws: Where it does not come up.
    func start(answering status: Int = 201) throws {
        let server = try Subprocess.start(
            "python3",
            ["server.py", "\(port)", "\(status)"],
            directory: directory.path
        )
        try server.waitForOutput(containing: "listening")
        self.server = server
    }

    func stop() { server?.signal(SIGKILL) }

    /// The original's flags for it.
    var flags: [String] {
        [
            "-decrypt", "-hostname", "localhost", "-port", "\(port)", "-certificate-path",
            directory("cert.pem"), "-key-path", directory("key.pem"),
        ]
    }

    /// The same as base64 variables.
    func variables() throws -> [String: String] {
        [
            "MTLS_CERT": Data(try directory.read("cert.pem")).base64EncodedString(),
            "MTLS_KEY": Data(try directory.read("key.pem")).base64EncodedString(),
        ]
    }

    private static let program = """
        import http.server, ssl, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.answer(404, b"")
            def do_GET(self):
                status = int(sys.argv[2])
                body = b'{"password": "\(Sample.password)"}' if status == 201 else b"{}"
                self.answer(status, body)
        server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("cert.pem", "key.pem")
        context.load_verify_locations("cert.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("listening", flush=True)
        server.serve_forever()
        """
}
