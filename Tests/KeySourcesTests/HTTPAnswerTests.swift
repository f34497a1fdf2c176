import Cryptography
import Testing

@testable import KeySources

@Suite struct `HTTP answers` {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}"),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 200, "{}"),
        ("HTTP/1.0 201\r\n\r\nto the end", 201, "to the end"),
        ("HTTP/1.1 200 \r\ncontent-LENGTH:\t2 \r\n\r\n{}", 200, "{}"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}more", 200, "{}"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=\"y\"\r\n0123456789"
                + "\r\n00\r\nTrailer: x\r\n\r\n",
            200, "abc0123456789"
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x"),
        ("HTTP/1.1 500 A\r\nContent-Length: 99999999\r\n\r\n", 500, ""),
    ])
    func `are read whole and byte by byte`(text: String, status: Int, body: String) throws {
        for step in [1, 2, 7, text.utf8.count] {
            let (head, read) = try parse(Array(text.utf8), step: step)
            #expect(head?.status == status)
            #expect(read.isEqual(to: secret(body)))
        }
    }

    @Test func `give the fields that are wanted`() throws {
        let text =
            "HTTP/1.1 429 Slow  down\r\nRetry-After: 7\r\nLOCATION:x\r\nContent-Length: 0\r\n\r\n"
        let (head, _) = try parse(Array(text.utf8), step: 3)
        #expect(head?.reason == "Slow  down")
        #expect(head?.retryAfter == "7")
        #expect(head?.location == "x")
    }

    @Test(arguments: [
        ("", FetchFailure.closedEarly), ("HTTP/1.1", .closedEarly), ("HTTP/1.1 200", .closedEarly),
        ("HTTP/1.1 200 OK\r\n", .closedEarly),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", .closedEarly),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", .closedEarly),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", .closedEarly),
        ("HTTP/2 200 OK\r\n", .notHTTP), ("HTTP/1.1200 OK\r\n", .notHTTP),
        ("HTTP/1.x 200 OK\r\n", .notHTTP), ("HTTP/1.1 20 OK\r\n", .notHTTP),
        ("HTTP/1.1 099 OK\r\n", .notHTTP), ("HTTP/1.1 2x0 OK\r\n", .notHTTP),
        (" HTTP/1.1 200 OK\r\n", .notHTTP), ("\r\n", .notHTTP), ("<html>", .notHTTP),
        ("HTTP/1.1 101 Switching\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nno colon\r\n", .framing), ("HTTP/1.1 200 OK\r\n: x\r\n", .framing),
        ("HTTP/1.1 200 OK\r\n folded: x\r\n", .framing), ("HTTP/1.1 200 OK\r\na : x\r\n", .framing),
        ("HTTP/1.1 200 OK\r\na: \u{0}\r\n", .framing), ("HTTP/1.1 200 OK\r\na: x\ry\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: \r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", .framing),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            .framing
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", .framing),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", .bodyTooLong),
        ("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", .bodyTooLong),
    ])
    func `are refused when they could be read in two ways`(text: String, expected: FetchFailure) {
        for step in [1, text.utf8.count + 1] {
            #expect(throws: expected) { try parse(Array(text.utf8), step: step) }
        }
    }

    @Test func `have limits`() throws {
        let head = "HTTP/1.1 200 OK\r\nX: "
        // Line feeds do not count: two less, and three carriage returns, one of them in `head`.
        let room = 16_384 - (head.utf8.count - 1) - 2
        let fitting = head + String(repeating: "x", count: room) + "\r\n\r\n"
        #expect(try parse(Array(fitting.utf8), step: 4096).0?.status == 200)
        let long = head + String(repeating: "x", count: room + 1) + "\r\n\r\n"
        #expect(throws: FetchFailure.headTooLong) { try parse(Array(long.utf8), step: 4096) }

        let body = String(repeating: "b", count: 65_536)
        let full = "HTTP/1.1 200 OK\r\n\r\n" + body
        #expect(try parse(Array(full.utf8), step: 5000).1.count == 65_536)
        #expect(throws: FetchFailure.bodyTooLong) {
            try parse(Array((full + "b").utf8), step: 5000)
        }
        let failing = "HTTP/1.1 500 Oops\r\n\r\n" + body + "b"
        #expect(try parse(Array(failing.utf8), step: 5000).1.count == 0)
    }

    @Test func `never trap`() {
        let seeds = [
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "HTTP/1.1 100 C\r\n\r\nHTTP/1.0 429 X\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nabc",
        ]
        var generator = SystemRandomNumberGenerator()
        for round in 0..<4000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                if Bool.random(using: &generator) {
                    bytes[index] = UInt8.random(in: 0...255, using: &generator)
                } else {
                    bytes.insert(contentsOf: bytes[index...].prefix(6), at: index)
                }
            }
            _ = try? parse(bytes, step: Int.random(in: 1...60, using: &generator))
        }
    }

    private func parse(
        _ bytes: [UInt8],
        step: Int
    ) throws -> (HTTPAnswer.Head?, SecretBytes) {
        var answer = HTTPAnswer()
        for start in stride(from: 0, to: bytes.count, by: step) where !answer.isComplete {
            try bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { part in
                try answer.consume(part)
            }
        }
        try answer.finish()
        return (answer.head, answer.copyBody())
    }
}
