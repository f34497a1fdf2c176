import Foundation
import TestSupport
import Testing

/// How devices come back, by the clock of a server that watches them.
@Suite(.requires(.executables, .tool("openssl"), .tool("python3")))
struct `Devices that get no answer` {
    /// Listens on a port for each device, so that it knows them apart; says when each came.
    private static let program = """
        import json, socket, ssl, sys, threading, time
        refusals, delays, wanted = 16, 8, 5
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("cert.pem", "key.pem")
        context.load_verify_locations("cert.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        times = {}
        def listen(number):
            listener = socket.create_server(("127.0.0.1", 0))
            mine = times[listener.getsockname()[1]] = []
            def serve():
                while len(mine) < (wanted if number < refusals else 2):
                    connection, _ = listener.accept()
                    mine.append(time.monotonic())
                    if number < refusals:
                        connection.close()
                    elif not delay(connection, 429 if number % 2 else 503):
                        mine.pop()
            thread = threading.Thread(target=serve)
            thread.start()
            return listener.getsockname()[1], thread
        def delay(connection, status):
            try:
                with context.wrap_socket(connection, server_side=True) as device:
                    while b"\\r\\n\\r\\n" not in device.recv(65536): pass
                    device.sendall(b"HTTP/1.1 %d Later\\r\\nRetry-After: 4\\r\\nContent-Length: 2\\r\\n"
                                   b"Connection: close\\r\\n\\r\\n{}" % status)
                return True
            except OSError:
                return False
        started = [listen(number) for number in range(refusals + delays)]
        print(json.dumps([port for port, _ in started]), flush=True)
        for _, thread in started: thread.join()
        gaps = [[b - a for a, b in zip(times[port], times[port][1:])] for port, _ in started]
        print(json.dumps([gaps[:refusals], gaps[refusals:]]), flush=True)
        """

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    @Test func `come back ever later, no two alike, and not before they were told to`() throws {
        // Its certificates only; the server here is another.
        let stub = try KeyServerStub()
        try stub.directory.write(Self.program, to: "watch.py")
        let watch = try Subprocess.start("python3", ["watch.py"], directory: stub.directory.path)
        try watch.waitForOutput(containing: "]")
        let first = watch.text.split(separator: "\n")[0]
        let ports = try JSONDecoder().decode([Int].self, from: Data(first.utf8))
        let variables = try stub.variables()
        let devices = try ports.map { port in
            try InitProcess(
                ["--key-source", "https://localhost:\(port)", "--env-only", "--", "true"],
                environment: variables,
                place: .ordinary
            )
        }
        let output = try watch.wait(timeout: 240)
        for device in devices { device.process.signal(SIGTERM) }
        for device in devices { _ = try device.process.wait() }
        try #require(output.status == 0, "\(output.errorText)")
        let last = try #require(output.text.split(separator: "\n").last)
        let gaps = try JSONDecoder().decode([[[Double]]].self, from: Data(last.utf8))
        let (refused, told) = (gaps[0], gaps[1])
        func all(_ numbers: ClosedRange<Int>) -> [Double] { refused.flatMap { $0[numbers] } }

        // Nobody at once: an attempt costs a server a handshake. (By the clock of who is asked, whom
        // a busy machine may have served late the time before.)
        #expect(mean(all(0...3)) > 0.1)
        #expect(all(0...3).filter { $0 < 0.05 }.count <= 2, "\(refused)")
        // Ever later: of bounds of 1 and 2 s on the one side, of 4 and 8 s on the other.
        #expect(mean(all(2...3)) > 1.5 * mean(all(0...1)), "\(refused)")
        // Not together: a fleet that lost its server at once spreads.
        for number in 1...3 {
            let these = all(number...number)
            #expect((these.max() ?? 0) > 2 * (these.min() ?? 0), "\(number): \(refused)")
        }
        // Told when to come back, they do not come sooner; the others had come by then.
        let waits = told.flatMap { $0 }
        #expect(waits.count == 8)
        #expect(waits.allSatisfy { $0 >= 4 }, "\(waits)")
        #expect(mean(waits) > mean(all(0...0)), "the control: \(refused)")
    }
}
