import Cryptography
import KeyProtocol
import Synchronization
import TestSupport
import Testing

@testable import KeySources

/// The client against real connections; what the server does wrong is in `hostile.py`.
@Suite(.requires(.tool("python3"), .tool("openssl")))
struct `Fetching from a key server` {
    let server: HostileServer
    let certificates: TestCertificates

    init() throws {
        server = try HostileServer.shared.get()
        certificates = server.certificates
    }

    // MARK: What works

    @Test(arguments: ["tls", "tls12", "commonname", "anyone"], ["localhost", "127.0.0.1"])
    func `keys arrive over mutual TLS`(listener: String, host: String) throws {
        // A common name is a host name, and no address.
        if listener == "commonname", host != "localhost" { return }
        let keys = try fetch(listener, "good", host: host, keys: ["db", "default"]).get()
        #expect(keys["default"]?.text.isEqual(to: secret("hunter2")) == true)
        #expect(keys["db"]?.text.isEqual(to: secret("second")) == true)
    }

    @Test(arguments: ["original", "405", "static201"])
    func `the original's certificate is enough, and its answer is understood`(
        behaviour: String
    ) throws {
        let credentials = try certificates.credentials("original", authority: nil)
        let keys = try fetch("original", behaviour, credentials: credentials).get()
        #expect(keys.names == ["default"])
        #expect(keys["default"]?.text.isEqual(to: secret("hunter2")) == true)
    }

    @Test(arguments: ["chunked", "old", "continue"])
    func `every way of framing an answer is read`(behaviour: String) throws {
        let keys = try fetch("tls", behaviour).get()
        #expect(keys["default"]?.text.isEqual(to: secret("hunter2")) == true)
    }

    @Test func `a certificate with its chain is shown`() throws {
        var credentials = try certificates.credentials("client")
        credentials.certificate = try certificates.pem("chain.pem")
        _ = try fetch("tls", "good", credentials: credentials).get()
    }

    @Test func `a token takes the place of a certificate`() throws {
        var credentials = Credentials()
        credentials.authority = try certificates.pem("ca.pem")
        credentials.token = secret("abc.DEF-123\n")
        let address = server.address("anyone", "echo")
        let expected =
            "localhost:\(address.port) refuses the key (403): "
            + "POST /echo/v1/unlock bearer abc.def-123 localhost:\(address.port) secure-init/1.0 "
            + #"{"device":"device \"7\"","boot_id":"b","keys":["default"],"version":"1.0"} [echo]"#
        #expect(throws: FetchError.refused(message: expected)) {
            try fetch("anyone", "echo", credentials: credentials).get()
        }
    }

    @Test func `the endpoint a server was found to have is remembered`() throws {
        let fetcher = try fetcher("tls", "recorded")
        _ = try fetcher.attempt()
        _ = try fetcher.attempt()
        let requests = String(decoding: try certificates.directory.read("recorded"), as: UTF8.self)
        #expect(
            requests == "POST /recorded/v1/unlock\nGET /recorded/key\nGET /recorded/key\n"
        )
    }

    @Test func `a token that comes back is not shown`() throws {
        var credentials = Credentials()
        credentials.authority = try certificates.pem("ca.pem")
        credentials.token = secret("abc.DEF-123")
        let server = server.address("anyone", "parrot").authority
        let expected = "\(server) answered in words that repeat the token: they are not shown"
        #expect(throws: FetchError.refused(message: expected)) {
            try fetch("anyone", "parrot", credentials: credentials).get()
        }
        credentials.token = secret("other")
        let shown = "\(server) refuses the key (401): you sent abc.DEF-123 [x]"
        #expect(throws: FetchError.refused(message: shown)) {
            try fetch("anyone", "parrot", credentials: credentials).get()
        }
    }

    // MARK: What is tried again

    @Test(arguments: [
        ("expired", "", "expired on 2020-02-02 (today is TODAY by the clock here)"),
        ("future", "", "is valid from 2090-01-01 only (today is TODAY by the clock here)"),
        ("otherhost", "", "is not for localhost: it is for a.example, 192.0.2.1"),
        ("stranger", "", "is not trusted: unable to get local issuer certificate"),
        ("device", "", "is not trusted: unsuitable certificate purpose"),
    ])
    func `a server that is not who it should be gets no request`(
        listener: String,
        _: String,
        text: String
    ) throws {
        let expected = "the certificate of SERVER \(text)".replacing("TODAY", with: today())
        try expectRetry(listener, "good", expected)
    }

    @Test func `an address that the certificate does not hold is refused`() throws {
        try expectRetry(
            "otherhost",
            "good",
            "the certificate of SERVER is not for 127.0.0.1: it is for a.example, 192.0.2.1",
            host: "127.0.0.1"
        )
    }

    @Test func `the original's certificate is for its host name only`() throws {
        let credentials = try certificates.credentials("original", authority: nil)
        try expectRetry(
            "original",
            "original",
            "the certificate of SERVER is not for 127.0.0.1: it is for localhost",
            host: "127.0.0.1",
            credentials: credentials
        )
        try expectRetry(
            "tls",
            "good",
            "the certificate of SERVER is not trusted: self-signed certificate in certificate chain"
                + " (without --ca, only this device's own certificate is)",
            credentials: credentials
        )
    }

    @Test(arguments: [
        ("refusing", "client", "SERVER refuses this device's certificate: unknown CA"),
        ("refusing12", "client", "SERVER refuses this device's certificate: unknown CA"),
        ("tls", "outdated", "SERVER refuses this device's certificate: certificate expired"),
        ("tls12", "outdated", "SERVER refuses this device's certificate: certificate expired"),
    ])
    func `a server that refuses our certificate is asked again`(
        listener: String,
        certificate: String,
        text: String
    ) throws {
        let credentials = try certificates.credentials(certificate)
        try expectRetry(listener, "good", text, credentials: credentials)
    }

    @Test func `a server that wants a certificate where there is none says so`() throws {
        var credentials = Credentials()
        credentials.authority = try certificates.pem("ca.pem")
        credentials.token = secret("t")
        try expectRetry(
            "tls",
            "good",
            "SERVER wants a client certificate and got none: give --cert and --key",
            credentials: credentials
        )
    }

    @Test(arguments: [
        ("tls11", "SERVER offers no TLS version this device takes (1.2, 1.3)"),
        ("plain", "SERVER speaks plain HTTP, not TLS: is this the right port?"),
        ("page", "SERVER speaks plain HTTP, not TLS: is this the right port?"),
        ("banner", "SERVER does not speak TLS: is this the right port?"),
        ("mute", "SERVER did not finish the TLS handshake within 1 s"),
        ("slow", "SERVER did not finish the TLS handshake within 1 s"),
        ("full", "SERVER did not accept a connection within 1 s"),
        ("closing", "SERVER closed the connection during the TLS handshake"),
        ("nobody", "SERVER refuses connections: no key server listens there"),
    ])
    func `what is no TLS server is told apart`(listener: String, text: String) throws {
        let limits = TimeLimits(
            connect: .milliseconds(300),
            handshake: .milliseconds(300),
            answer: .seconds(20)
        )
        try expectRetry(listener, "good", text, limits: limits)
    }

    @Test(arguments: [
        ("status/500", "SERVER answered 500 Whatever"),
        ("status/503", "SERVER answered 503 Whatever"),
        ("status/599", "SERVER answered 599 Whatever"),
        ("status/408", "SERVER answered 408 Whatever"),
        ("status/204", "SERVER answered 204 Whatever"),
        ("huge500", "SERVER answered 500 Oops"),
        (
            "redirect",
            "SERVER answered 302, a redirect to https://elsewhere.example:1: "
                + "redirects are not followed; give the final address"
        ),
        (
            "status/404",
            "SERVER has neither /v1/unlock nor /key (404): is this a key server?"
        ),
        (
            "status/405",
            "SERVER has neither /v1/unlock nor /key (405): is this a key server?"
        ),
        ("html", "SERVER answered 200 with not JSON (at byte 0)"),
        ("huge", "SERVER answered with more than 65536 bytes: is this a key server?"),
        ("endless", "SERVER answered with more than 65536 bytes: is this a key server?"),
        ("headers", "SERVER answered with more than 16384 bytes of headers"),
        ("line", "SERVER answered with more than 16384 bytes of headers"),
        ("midbody", "SERVER closed the connection before its answer was complete"),
        ("midhead", "SERVER closed the connection before its answer was complete"),
        ("silent", "SERVER closed the connection before its answer was complete"),
        ("truncated", "SERVER answered 200 with not JSON (at byte 24)"),
        ("twice", "SERVER answered with HTTP that is ambiguous or malformed"),
        ("nonhttp", "SERVER answered something other than HTTP/1.1"),
        ("limited", "SERVER answered 429: too many requests; waiting as long as it asks"),
        ("pending", "SERVER waits for a person to approve this device: code KZ-41"),
    ])
    func `an answer without keys is told apart and asked for again`(
        behaviour: String,
        text: String
    ) throws {
        try expectRetry("tls", behaviour, text)
    }

    @Test(arguments: ["drip", "hang"])
    func `an answer that takes its time ends at the limit`(behaviour: String) throws {
        let limits = TimeLimits(answer: .milliseconds(500))
        let start = ContinuousClock.now
        let text = "SERVER did not finish its answer within 1 s"
        try expectRetry("tls", behaviour, text, limits: limits)
        #expect(start.duration(to: .now) < .seconds(5))
    }

    @Test func `a name that does not resolve is told apart`() throws {
        let job = try self.job(ServerAddress(host: "no-such-host.invalid", port: 1, path: ""))
        let error = #expect(throws: FetchError.self) { try attempt(job) }
        guard case .retryable(let cause) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(cause.hasPrefix("the name in no-such-host.invalid:1 does not resolve: "))
    }

    @Test func `a key the server does not send is named`() throws {
        let error = #expect(throws: FetchError.self) {
            try fetch("tls", "good", keys: ["default", "absent"]).get()
        }
        #expect(error?.description.hasSuffix("answered 200 with no key named 'absent'") == true)
    }

    // MARK: What is final

    @Test(arguments: [
        ("denied", "SERVER refuses the key (403): revoked?by ada [device_revoked]"),
        ("denied-cut", "SERVER refuses the key (401 Unauthorized)"),
        ("status/400", "SERVER refuses the key (400 Whatever)"),
        ("status/410", "SERVER refuses the key (410 Whatever)"),
    ])
    func `a refusal is final`(behaviour: String, text: String) throws {
        let address = server.address("tls", behaviour)
        let expected = text.replacing("SERVER", with: address.authority)
        #expect(throws: FetchError.refused(message: expected)) {
            try fetch("tls", behaviour).get()
        }
    }

    // MARK: Trying again

    @Test func `each change of cause is told once, and the waits grow`() throws {
        let job = try job(server.address("tls", "flaky"))
        let waits = Mutex<[Duration]>([])
        let fetcher = try Fetcher(job: job, limits: TimeLimits()) { wait in
            waits.withLock { $0.append(wait) }
        }
        var causes: [String] = []
        _ = try fetcher.run { causes.append($0) }
        let server = job.server.authority
        #expect(causes == ["\(server) answered 500 Oops", "\(server) answered 502 Bad Gateway"])
        #expect(waits.withLock { $0.count } == 3)
        #expect(waits.withLock { $0.allSatisfy { $0 >= Backoff.shortest } })
    }

    @Test func `a server's own time to wait is honoured`() throws {
        for (behaviour, range) in [("limited", 7.0...8.4), ("busy", 9...10.8), ("pending", 2...2)] {
            let job = try job(server.address("tls", behaviour))
            let fetcher = try Fetcher(job: job, limits: TimeLimits()) { _ in }
            _ = try? fetcher.attempt()
            let asked = fetcher.waitAskedFor
            let wait = try #require(asked)
            #expect(range.contains(wait / .seconds(1)))
        }
    }

    @Test func `approval ends the waiting`() throws {
        let job = try job(server.address("tls", "approved"))
        let waits = Mutex<[Duration]>([])
        let fetcher = try Fetcher(job: job, limits: TimeLimits()) { wait in
            waits.withLock { $0.append(wait) }
        }
        _ = try fetcher.run { _ in }
        #expect(waits.withLock { $0 } == [.seconds(2)])
    }

    @Test func `a refusal ends the loop`() throws {
        let fetcher = try fetcher("tls", "denied")
        let error = #expect(throws: FetchError.self) { try fetcher.run { _ in } }
        guard case .refused = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    // MARK: Helpers

    private func job(
        _ address: ServerAddress,
        credentials: Credentials? = nil,
        keys: [String] = ["default"]
    ) throws -> FetchJob {
        FetchJob(
            server: address,
            credentials: try credentials ?? certificates.credentials("client"),
            keyNames: keys,
            device: "device \"7\"",
            bootID: "b",
            version: "1.0"
        )
    }

    private func fetcher(_ listener: String, _ behaviour: String) throws -> Fetcher {
        try Fetcher(job: job(server.address(listener, behaviour)), limits: TimeLimits()) { _ in }
    }

    private func attempt(
        _ job: FetchJob,
        limits: TimeLimits = TimeLimits()
    ) throws(FetchError) -> KeyBundle {
        try Fetcher(job: job, limits: limits, sleep: { _ in }).attempt()
    }

    private func fetch(
        _ listener: String,
        _ behaviour: String,
        host: String = "localhost",
        credentials: Credentials? = nil,
        keys: [String] = ["default"],
        limits: TimeLimits = TimeLimits()
    ) throws -> Result<KeyBundle, FetchError> {
        let address = server.address(listener, behaviour, host: host)
        let job = try job(address, credentials: credentials, keys: keys)
        return Result { () throws(FetchError) in try attempt(job, limits: limits) }
    }

    private func expectRetry(
        _ listener: String,
        _ behaviour: String,
        _ text: String,
        host: String = "localhost",
        credentials: Credentials? = nil,
        limits: TimeLimits = TimeLimits()
    ) throws {
        let address = server.address(listener, behaviour, host: host)
        let expected = FetchError.retryable(
            cause: text.replacing("SERVER", with: address.authority)
        )
        let result = try fetch(
            listener,
            behaviour,
            host: host,
            credentials: credentials,
            limits: limits
        )
        #expect(throws: expected) { try result.get() }
    }

    private func today() -> String {
        (try? Subprocess.run("date", ["-u", "+%F"]).text.trimming()) ?? ""
    }
}

extension String {
    fileprivate func trimming() -> String { String(prefix { !$0.isWhitespace }) }
}

func secret(_ text: String) -> SecretBytes { SecretBytes(copying: text.utf8) }
