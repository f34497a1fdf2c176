import Foundation
import TestSupport
import Testing

@Suite(.requires(.executables, .tool("python3"), .tool("openssl")))
struct `A server whose certificates change` {
    @Test func `shows the new one to new connections, and open ones notice nothing`() throws {
        let server = try TestServer()
        try server.play(
            """
            import subprocess
            old = connect()
            before = fingerprint(old)
            assert exchange(old)[0] == 201
            subprocess.run([os.environ["SECURE_STORE"], "ca", "renew-server", "--state", FILES + "/state",
                            "--hostname", "localhost"], check=True, capture_output=True)
            def renewed():
                with connect() as new:
                    assert exchange(new)[0] == 201
                    return fingerprint(new) != before
            until(renewed, "the new certificate is never shown")
            assert exchange(old)[0] == 201, "the open connection"
            assert fingerprint(old) == before
            assert figures()['secure_store_certificate_reloads_total{result="success"}'] >= 1
            """
        )
        #expect(server.log.contains("Certificates read again"))
    }

    @Test func `refuses a pair that does not fit, and goes on with the old`() throws {
        let server = try TestServer()
        try server.play(
            """
            import shutil
            before = fingerprint(connect())
            shutil.copy(FILES + "/kiosk/key.pem", FILES + "/state/server-key.pem")
            failed = 'secure_store_certificate_reloads_total{result="failure"}'
            def refused():
                assert ask()[0] == 201
                return figures().get(failed)
            until(refused, "the wrong key is never looked at")
            for name in ["server.pem", "server-key.pem", "ca.pem"]:
                os.unlink(FILES + "/state/" + name)
            until(lambda: ask()[0] == 201 and figures()[failed] >= 2, "missing files")
            time.sleep(1.2)
            assert fingerprint(connect()) == before
            # Once for each change, however many connect.
            assert figures()[failed] <= 4, figures()
            """
        )
        #expect(server.log.contains("Changed certificates cannot be used, and those before stay"))
        #expect(server.log.contains("do not fit"))
        #expect(try server.stop().status == 0)
    }

    @Test func `reads them at SIGHUP, the devices' authorities too`() throws {
        let other = try TemporaryDirectory()
        try TestServer.prepare(other)
        let directory = try TemporaryDirectory()
        try TestServer.prepare(directory)
        let own = try directory.read("state/ca.pem")
        try directory.write(own, to: "clients.pem")
        for name in ["cert.pem", "key.pem"] {
            try directory.write(other.read("kiosk/\(name)"), to: "stranger-\(name)")
        }
        try directory.write(own + other.read("state/ca.pem"), to: "both.pem")
        let server = try TestServer(
            [
                "--cert", directory("state/server.pem"), "--key", directory("state/server-key.pem"),
                "--client-ca", directory("clients.pem"),
            ],
            in: directory
        )
        try server.play(
            """
            import signal
            stranger = context("stranger-cert.pem", "stranger-key.pem")
            assert ask(stranger) is None
            assert ask()[0] == 201
            os.rename(FILES + "/both.pem", FILES + "/clients.pem")
            os.kill(int(os.environ["SERVER_PID"]), signal.SIGHUP)
            until(lambda: figures().get('secure_store_certificate_reloads_total{result="success"}'), "SIGHUP")
            assert ask(stranger)[0] == 201, "the authority that came"
            assert ask()[0] == 201
            """
        )
    }
}

@Suite(.requires(.executables, .tool("python3"))) struct `A server that is told to stop` {
    @Test func `says so first, then finishes what it began, and ends`() throws {
        let server = try TestServer(["--drain-delay", "3"])
        try server.play(
            """
            import signal
            body = b'{"device":"me","boot_id":"b","keys":["default"],"version":"1"}'
            head = b"POST /v1/unlock HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
            idle = connect()
            assert exchange(idle)[0] == 201
            begun = connect()
            begun.sendall(head)
            assert admin("/readyz")[0] == 200
            assert ask()[0] == 201
            os.kill(int(os.environ["SERVER_PID"]), signal.SIGTERM)
            def stopping():
                status, text = admin("/readyz")
                return status == 503 and "stopping" in text
            until(stopping, "readyz")
            # Whoever has not heard yet is still served.
            assert ask()[0] == 201
            assert admin("/healthz")[0] == 200
            # Then the idle connection is closed, and nobody new is let in...
            assert received(idle) == b""
            def refused():
                try: tcp().close()
                except ConnectionError: return True
            until(refused, "new connections")
            # ...but what was begun is finished.
            begun.sendall(body)
            assert answer(begun)[0] == 200
            assert received(begun) == b""
            """
        )
        let output = try server.process.wait(timeout: 60)
        #expect(output.status == 0, "\(output.errorText)")
        #expect(output.errorText.contains("Stopped"))
    }

    @Test func `waits for no request for ever`() throws {
        let server = try TestServer()
        try server.play(
            """
            import signal
            begun = connect()
            begun.sendall(b"POST /v1/unlock HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 9\\r\\n\\r\\n")
            assert ask()[0] == 201
            os.kill(int(os.environ["SERVER_PID"]), signal.SIGTERM)
            """
        )
        // Ten seconds that it has; the rest is the machine's.
        let output = try server.process.wait(timeout: 60)
        #expect(!output.errorText.contains("Key released") || output.status == 0)
        #expect(output.status == 0, "\(output.errorText)")
    }
}
