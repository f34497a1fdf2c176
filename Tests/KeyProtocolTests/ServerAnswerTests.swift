import Cryptography
import JSONText
import Testing

@testable import KeyProtocol

@Suite struct `Server answers` {
    @Test func `keys come by name, and only those that were asked for`() throws {
        let body = #"{"keys":{"db":"one","default":"two","other":"three"},"lease":60,"more":[1]}"#
        let answer = try read(200, body, wanted: ["default", "db"])
        guard case .keys(let keys, let lease, _) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(keys.names == ["default", "db"])
        #expect(keys["db"]?.text.isEqual(to: secret("one")) == true)
        #expect(lease == 60)
    }

    @Test func `older generations come with their key, and cross to the supervisor with it`() throws
    {
        let body =
            #"{"keys":{"db":"x","default":"c"},"generations":{"default":["b","a"],"z":["q"]}}"#
        guard case .keys(let keys, _, _) = try read(200, body, wanted: ["default", "db"]) else {
            Issue.record("no keys")
            return
        }
        let crossed = try keys.encoded().withUnsafeBytes { try KeyBundle(decoding: $0) }
        for bundle in [keys, crossed] {
            #expect(bundle.names == ["default", "db"])
            #expect(bundle.olderGenerations(of: "db").isEmpty)
            let older = bundle.olderGenerations(of: "default").map {
                $0.text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            }
            #expect(older == ["b", "a"])
        }
        // What a server of ours says, ours reads.
        guard
            case .keys(let again, _, _) = try ServerAnswer(
                status: 200,
                retryAfter: nil,
                body: try AnswerBody.keys(keys, lease: nil),
                endpoint: .unlock,
                wanted: ["default"]
            )
        else {
            Issue.record("no keys")
            return
        }
        #expect(again.olderGenerations(of: "default").count == 2)
    }

    @Test(arguments: [200, 201])
    func `the original's answer is one key`(status: Int) throws {
        let answer = try read(status, #"{"password":"p\u0026w"}"# + "\n", endpoint: .key)
        guard case .keys(let keys, nil, nil) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(keys.names == ["default"])
        #expect(keys["default"]?.text.isEqual(to: secret("p&w")) == true)
    }

    @Test(arguments: [
        (#"{"keys":{}}"#, WireError.missingKey(name: "default")),
        (#"{"keys":[]}"#, .json(.invalid(member: "keys"))),
        (#"{"passwort":"x"}"#, .json(.missing(member: "keys"))),
        (#"{"keys":{"default":7}}"#, .json(.invalid(member: "default"))),
        (#"{"keys":{"default":null}}"#, .json(.invalid(member: "default"))),
        (
            #"{"keys":{"default":""}}"#,
            .malformedKey(name: "default", .invalidLength(found: 0))
        ),
        (#"{"keys":{"default":"a\n"}}"#, .malformedKey(name: "default", .controlCharacter)),
        (#"{"keys":{"default":"a"},"lease":-1}"#, .json(.invalid(member: "lease"))),
        (#"{"keys":{"default":"a"},"lease":"1"}"#, .json(.invalid(member: "lease"))),
        (
            #"{"keys":{"default":"a"},"generations":{"default":"b"}}"#,
            .json(.invalid(member: "default"))
        ),
        (
            #"{"keys":{"default":"a"},"generations":{"default":[""]}}"#,
            .malformedKey(name: "default", .invalidLength(found: 0))
        ),
        (#"{"keys":{"default":"a"},"generations":[]}"#, .json(.invalid(member: "generations"))),
        ("[]", .json(.notJSON(offset: 0))), ("ok", .json(.notJSON(offset: 0))),
        ("", .json(.notJSON(offset: 0))),
    ])
    func `a 200 that holds no keys says why`(body: String, expected: WireError) {
        #expect(throws: expected) { try read(200, body) }
    }

    @Test(arguments: [
        (#"{"keys":{"default":"x"}}"#, ["default"], WireError.json(.missing(member: "password"))),
        (
            #"{"password":""}"#, ["default"],
            .malformedKey(name: "default", .invalidLength(found: 0))
        ),
        (#"{"password":"x"}"#, ["default", "db"], .missingKey(name: "db")),
    ])
    func `the original's answer without a password says why`(
        body: String,
        wanted: [String],
        expected: WireError
    ) {
        #expect(throws: expected) { try read(201, body, endpoint: .key, wanted: wanted) }
    }

    @Test(arguments: [
        (#"{"code":"AB-12","poll_after":5}"#, "AB-12", 5),
        (#"{"code":"AB\u001b[2J","poll_after":0}"#, "AB?[2J", 1),
        (#"{"code":"x","poll_after":100000}"#, "x", 60),
    ])
    func `waiting for approval has a code and bounded seconds`(
        body: String,
        code: String,
        seconds: Int
    ) throws {
        let answer = try read(202, body)
        guard case .pending(code, seconds) = answer else {
            Issue.record("\(answer)")
            return
        }
    }

    @Test(arguments: [
        (200, Endpoint.key, "keys"), (202, .key, "unexpected"), (201, .unlock, "keys"),
        (204, .unlock, "unexpected"), (100, .unlock, "unexpected"), (999, .unlock, "unexpected"),
        (301, .unlock, "redirect"), (302, .key, "redirect"), (308, .unlock, "redirect"),
        (400, .unlock, "refused"), (401, .unlock, "refused"), (403, .key, "refused"),
        (404, .unlock, "noEndpoint"), (405, .unlock, "noEndpoint"), (404, .key, "noEndpoint"),
        (408, .unlock, "unavailable"), (410, .unlock, "refused"), (413, .unlock, "refused"),
        (425, .unlock, "unavailable"), (429, .unlock, "rateLimited"), (500, .unlock, "unavailable"),
        (502, .key, "unavailable"), (503, .unlock, "unavailable"), (599, .unlock, "unavailable"),
    ])
    func `every status has its meaning`(status: Int, endpoint: Endpoint, meaning: String) throws {
        let answer = try read(status, #"{"password":"x"}"#, endpoint: endpoint)
        #expect("\(answer)".hasPrefix(meaning))
    }

    @Test(
        arguments: [
            (nil, nil), ("", nil), ("5", 5), ("0", 1), ("-3", nil), ("86400", 300), ("5.5", nil),
            ("99999999999999999999", nil), ("Wed, 21 Oct 2026 07:28:00 GMT", nil),
        ] as [(String?, Int?)]
    )
    func `the time to wait is bounded`(field: String?, expected: Int?) throws {
        for status in [429, 503] {
            let answer = try read(status, "", retryAfter: field)
            switch answer {
            case .rateLimited(let seconds), .unavailable(let seconds): #expect(seconds == expected)
            default: Issue.record("\(answer)")
            }
        }
    }

    @Test func `a refusal's words are shown without what could forge a log line`() throws {
        let json = #"{"error":{"code":"device_revoked","message":"no\nlevel=info ok\u202e"}}"#
        guard case .refused(let detail?) = try read(403, json) else {
            Issue.record("no detail")
            return
        }
        #expect(detail.code == "device_revoked")
        #expect(detail.message == "no?level=info ok?")
        for other in ["", "<html>", "{}", #"{"error":"no"}"#, #"{"error":{"code":1}}"#] {
            guard case .refused(nil) = try read(403, other) else {
                Issue.record("a detail from \(other)")
                return
            }
        }
    }

    @Test func `what the server writes, the device reads`() throws {
        var keys = KeyBundle()
        try keys.add(storeKey("pass\"word\\ é\t"), named: "default")
        try keys.add(.generate(), named: "volume.2")
        guard
            case .keys(let read, 30, nil) = try ServerAnswer(
                status: 200,
                retryAfter: nil,
                body: AnswerBody.keys(keys, lease: 30),
                endpoint: .unlock,
                wanted: keys.names
            )
        else {
            Issue.record("not read")
            return
        }
        #expect(read.encoded().isEqual(to: keys.encoded()))

        let password = try AnswerBody.password(storeKey("a\"b"))
        #expect(password.isEqual(to: secret(#"{"password":"a\"b"}"#)))
        let pending = AnswerBody.pending(code: "A", pollAfter: 3)
        #expect(pending.isEqual(to: secret(#"{"code":"A","poll_after":3}"#)))
        let error = AnswerBody.error(code: "c", message: "m")
        #expect(error.isEqual(to: secret(#"{"error":{"code":"c","message":"m"}}"#)))
    }

    @Test func `no answer makes it trap`() throws {
        let seeds = [
            #"{"keys":{"db":"one","default":"tw\u00e9\ud83d\ude00"},"lease":60,"more":[1e5,null]}"#,
            #"{"password":"p\u0026w"}"#, #"{"error":{"code":"c","message":"é€😀"}}"#,
            #"{"code":"AB-12","poll_after":5}"#, "[[[[[[[[\"\\",
        ]
        var generator = SystemRandomNumberGenerator()
        for round in 0..<4000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(contentsOf: bytes[index...].prefix(9), at: index)
                default: bytes.removeLast(min(bytes.count, 3))
                }
            }
            let body = SecretBytes(copying: bytes)
            for (status, endpoint) in [
                (200, Endpoint.unlock), (201, .key), (202, .unlock), (403, .unlock),
            ] {
                _ = try? ServerAnswer(
                    status: status,
                    retryAfter: nil,
                    body: body,
                    endpoint: endpoint,
                    wanted: ["default", "db"]
                )
            }
            _ = try? UnlockRequest(decoding: body)
        }
    }
}

@Suite struct `Unlock requests` {
    @Test func `are written as the protocol says`() {
        let request = UnlockRequest(
            device: "pi \"7\"",
            bootID: "b",
            keys: ["default", "db"],
            version: "1.0"
        )
        let expected =
            #"{"device":"pi \"7\"","boot_id":"b","keys":["default","db"],"version":"1.0"}"#
        #expect(request.encoded().isEqual(to: secret(expected)))
    }

    @Test func `read back`() throws {
        let request = UnlockRequest(device: "é\n", bootID: "", keys: ["k"], version: "2")
        #expect(try UnlockRequest(decoding: request.encoded()) == request)
        let short = try UnlockRequest(decoding: secret(#"{"device":"d","keys":["k"],"new":{}}"#))
        #expect(short == UnlockRequest(device: "d", bootID: "", keys: ["k"], version: ""))
    }

    @Test(arguments: [
        ("{}", WireError.json(.missing(member: "device"))),
        (#"{"device":"d"}"#, .json(.missing(member: "keys"))),
        (#"{"device":"d","keys":[]}"#, .json(.invalid(member: "keys"))),
        (#"{"device":"d","keys":[1]}"#, .json(.invalid(member: "keys"))),
        (#"{"device":1,"keys":["k"]}"#, .json(.invalid(member: "device"))),
        ("[]", .json(.notJSON(offset: 0))),
        (
            "{\"device\":\"\(String(repeating: "d", count: 129))\",\"keys\":[\"k\"]}",
            .json(.invalid(member: "device"))
        ),
        (
            "{\"device\":\"d\",\"keys\":[\"\(String(repeating: "k", count: 129))\"]}",
            .json(.invalid(member: "keys"))
        ),
    ])
    func `are held to types and limits`(body: String, expected: WireError) {
        #expect(throws: expected) { try UnlockRequest(decoding: secret(body)) }
    }
}

private func read(
    _ status: Int,
    _ body: String,
    endpoint: Endpoint = .unlock,
    wanted: [String] = ["default"],
    retryAfter: String? = nil
) throws -> ServerAnswer {
    try ServerAnswer(
        status: status,
        retryAfter: retryAfter,
        body: secret(body),
        endpoint: endpoint,
        wanted: wanted
    )
}

func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8) }
